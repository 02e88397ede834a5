import { describe, expect, test } from "@jest/globals";
import type { Message } from "@trivault/notify";
import fc from "fast-check";
import { ago, NOW, observe, testConfig } from "../test/observations.ts";
import { alertId } from "./alert-id.ts";
import { type DeskState, NOTHING, stateSchema } from "./desk-state.ts";
import { delivered, enqueue, dueNow, failingChannels, notDelivered, pruned } from "./outbox.ts";
import { sign } from "./rules/rule.ts";
import { step } from "./step.ts";
import type { Sign, Silence } from "./types.ts";

const REPEAT = 14_400;
const alerts = {
  channels: [
    { name: "ops", from: "warning", kind: "slack", url: "http://127.0.0.1:1/x" },
    { name: "pager", from: "critical", kind: "slack", url: "http://127.0.0.1:1/y" },
  ],
  language: "en",
  repeatSeconds: REPEAT,
} as const;
const config = testConfig();

const failed = (member: string, more: Partial<Sign> = {}) =>
  sign({ rule: "run-failed", subject: "db1", member, severity: "warning", since: NOW, data: { code: "X" }, ...more });

/** Steps at these seconds, and what was sent: `12s raised ops: Warning title`. */
function play(steps: readonly (readonly [seconds: number, signs: readonly Sign[], silences?: readonly Silence[]])[]) {
  let state: DeskState = NOTHING;
  const sent: string[] = [];
  for (const [seconds, signs, silences = []] of steps) {
    const now = ago(-seconds);
    state = step(state, observe({ now, config }), signs, { alerts, silences });
    for (const { channel, message } of state.outbox) sent.push(`${seconds}s ${channel} ${message.severity}`);
    state = { ...state, outbox: [] };
  }
  return { state, sent };
}

describe("an alert", () => {
  test("is sent once, again after its time, and when it ends", () => {
    const steps = [0, 15, REPEAT - 1, REPEAT, REPEAT + 15].map((at) => [at, [failed("shop")]] as const);
    const { sent, state } = play([...steps, [REPEAT + 30, []], [REPEAT + 45, []]]);
    expect(sent).toEqual(["0s ops warning", `${REPEAT}s ops warning`, `${REPEAT + 30}s ops resolved`]);
    expect(state.alerts).toEqual([]);
    expect(state.ended).toMatchObject([{ rule: "run-failed", endedAt: ago(-REPEAT - 30) }]);
    expect(state.toRecord.map(({ action }) => action)).toEqual(["alert.raised", "alert.resolved"]);
  });

  test("of a rule that fails stays as it was, and its failure is reported", () => {
    const broken = sign({
      rule: "rule-failed",
      subject: "rules",
      member: "run-failed",
      severity: "warning",
      since: NOW,
    });
    const { sent, state } = play([
      [0, [failed("shop")]],
      [15, [broken]],
      [86_400, [broken]],
    ]);
    expect(sent.slice(0, 2)).toEqual(["0s ops warning", "15s ops warning"]);
    expect(sent).not.toContain("86400s ops resolved");
    expect(state.alerts.map(({ rule }) => rule)).toEqual(["run-failed", "rule-failed"]);
    const over = step(state, observe({ now: ago(-86_415), config }), [], { alerts, silences: [] });
    expect(over.alerts).toEqual([]);
  });

  test("whose words fail is sent all the same", () => {
    const observation = Object.defineProperty(observe({ config }), "overview", {
      get: () => {
        throw new Error("no such tier");
      },
    });
    const { outbox, alerts: raised } = step(NOTHING, observation, [failed("shop")], { alerts, silences: [] });
    expect(raised).toMatchObject([{ words: { title: "run-failed: db1", text: "shop\n\nno such tier" } }]);
    expect(outbox).toHaveLength(1);
    const before = step(NOTHING, observe({ config }), [failed("shop")], { alerts, silences: [] });
    const after = step(before, observation, [failed("shop")], { alerts, silences: [] });
    expect(after.alerts[0]?.words.title).toBe("The backup of shop failed");
  });

  test("that grows is sent again, but not at each new member; one that gets worse at once", () => {
    const { sent } = play([
      [0, [failed("a")]],
      [15, [failed("a"), failed("b")]],
      [30, [failed("a"), failed("b"), failed("c")]],
      [600, [failed("a"), failed("b"), failed("c")]],
      [615, [failed("a"), failed("b")]],
      [630, [failed("a", { severity: "critical" })]],
      [645, []],
    ]);
    expect(sent).toEqual([
      "0s ops warning",
      "600s ops warning",
      "630s ops critical",
      "630s pager critical",
      "645s ops resolved",
      "645s pager resolved",
    ]);
  });

  test("must hold before it is sent, and does not flap", () => {
    const holding = failed("a", { rule: "tier-unreachable", subject: "cloud", holdSeconds: 30 });
    const { sent } = play([
      [0, [holding]],
      [15, []],
      [30, [holding]],
      [45, [holding]],
      [60, [holding]],
      [75, []],
      [90, [holding]],
      [105, []],
      [120, []],
      [166, []],
    ]);
    expect(sent).toEqual(["60s ops warning", "166s ops resolved"]);
  });

  test("whose cause another reports is not sent; sent before, it goes on in silence", () => {
    const hidden = failed("a", { suppressed: true });
    expect(
      play([
        [0, [hidden]],
        [15, [hidden]],
        [30, []],
      ]).sent,
    ).toEqual([]);
    expect(
      play([
        [0, [failed("a")]],
        [15, [hidden]],
        [REPEAT + 15, [hidden]],
        [REPEAT + 30, []],
      ]).sent,
    ).toEqual(["0s ops warning", `${REPEAT + 30}s ops resolved`]);
  });

  test("that is silenced is not sent until the silence ends; its end only to those who heard of it", () => {
    const id = alertId(failed("a"));
    const until = (seconds: number): Silence => ({
      alert: id,
      reason: "moving",
      by: "user:ann",
      at: NOW.toISOString(),
      until: ago(-seconds).toISOString(),
    });
    const quiet = [until(100)];
    expect(
      play([
        [0, [failed("a")], quiet],
        [90, [failed("a")], quiet],
        [105, [failed("a")], quiet],
      ]).sent,
    ).toEqual(["105s ops warning"]);
    expect(
      play([
        [0, [failed("a")], quiet],
        [15, [], quiet],
      ]).sent,
    ).toEqual([]);
    expect(
      play([
        [0, [failed("a")]],
        [15, [failed("a")], quiet],
        [30, [], quiet],
      ]).sent,
    ).toEqual(["0s ops warning", "30s ops resolved"]);
  });

  test("that goes on under another name says so at its end", () => {
    const moved = failed("a", { subject: "db2" });
    let state = step(NOTHING, observe({ config }), [failed("a")], { alerts, silences: [] });
    state = step({ ...state, outbox: [] }, observe({ config, now: ago(-15) }), [moved], { alerts, silences: [] });
    const resolved = state.outbox.find(({ message }) => message.severity === "resolved");
    expect(resolved?.message.text).toMatch(/Not everything is healthy: a goes on as another alert/);
  });
});

interface Arrival {
  readonly at: number;
  readonly message: Message;
  readonly about: string;
}

type Event = Readonly<
  Record<"waitSeconds" | "present" | "severe" | "silenceSeconds", number> & {
    fault: "none" | "restart" | "crash before the state is saved" | "crash after a delivery" | "channel fails";
  }
>;

const events: fc.Arbitrary<Event[]> = fc.array(
  fc.record({
    waitSeconds: fc.oneof(fc.constant(15), fc.integer({ min: 1, max: 900 }), fc.constant(REPEAT)),
    /** Which of three members are there, as bits. */
    present: fc.oneof(fc.constant(0), fc.constant(1), fc.integer({ min: 0, max: 7 })),
    severe: fc.integer({ min: 0, max: 1 }),
    silenceSeconds: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constant(3600) }),
    fault: fc.constantFrom(
      ...(["none", "none", "none", "restart", "crash before the state is saved"] as const),
      ...(["crash after a delivery", "channel fails"] as const),
    ),
  }),
  { maxLength: 40 },
);

/** As the evaluator does it: step, save, deliver, save; with faults between. What arrives is kept by its id. */
function live(script: readonly Event[]) {
  let onDisk: DeskState = NOTHING;
  let seconds = 0;
  const arrived = new Map<string, Arrival>();
  let silences: Silence[] = [];
  const subject = { rule: "tier-over-budget", subject: "cloud" } as const;
  const id = alertId(subject);
  const turn = ({ waitSeconds, present, severe, silenceSeconds, fault }: Event) => {
    seconds += waitSeconds;
    const now = ago(-seconds);
    const until = ago(-seconds - silenceSeconds).toISOString();
    if (silenceSeconds > 0) silences = [{ alert: id, reason: "", by: "", at: now.toISOString(), until }];
    const signs = ["a", "b", "c"]
      .filter((_, index) => (present >> index) % 2 === 1)
      .map((member) => sign({ ...subject, member, severity: severe ? "critical" : "warning", since: NOW }));
    // Each look begins with what is on the disk, as after a restart.
    const before = stateSchema.parse(JSON.parse(JSON.stringify(onDisk)));
    let state = step(before, observe({ now, config }), signs, { alerts, silences });
    state = { ...state, outbox: pruned(state.outbox, alerts.channels, now), toRecord: [] };
    if (fault === "crash before the state is saved") return;
    onDisk = state;
    for (let due = dueNow(state.outbox, now); due.length > 0; due = dueNow(state.outbox, now)) {
      for (const delivery of due) {
        if (fault === "channel fails") {
          state = { ...state, outbox: notDelivered(state.outbox, delivery, "no", now) };
          continue;
        }
        const { message, channel } = delivery;
        const about = JSON.stringify([message.facts, message.severity]);
        if (!arrived.has(`${channel} ${message.id}`))
          arrived.set(`${channel} ${message.id}`, { at: seconds, message, about });
        if (fault === "crash after a delivery") return;
        state = { ...state, outbox: delivered(state.outbox, delivery) };
      }
    }
    onDisk = state;
  };
  for (const event of script) turn(event);
  // All gets well, and every channel works.
  const calm = { present: 0, severe: 0, silenceSeconds: 0, fault: "none" } as const;
  for (let i = 0; i < 12; i++) turn({ ...calm, waitSeconds: 901 });
  return {
    arrived: [...arrived].map(([key, arrival]) => ({ channel: key.split(" ")[0] ?? "", ...arrival })),
    state: onDisk,
  };
}

describe("whatever happens, restarts and crashes included", () => {
  test("nobody gets an unchanged alert twice before its time", () => {
    fc.assert(
      fc.property(events, (script) => {
        const { arrived } = live(script);
        for (const messages of Map.groupBy(arrived, ({ channel, message }) => `${channel} ${message.topic}`).values()) {
          const raised = messages.filter(({ message }) => message.severity !== "resolved");
          for (const [index, { message }] of raised.entries()) {
            const next = raised[index + 1]?.message;
            if (!next || next.severity !== message.severity) continue;
            const apart = (next.at.getTime() - message.at.getTime()) / 1000;
            // Ten minutes for one that grew, else the time of repetition.
            expect(apart).toBeGreaterThanOrEqual(600);
          }
        }
      }),
      { numRuns: 80 },
    );
  });

  test("one that does not change is repeated no sooner than it shall be", () => {
    const steady = events.map((script) =>
      script.map((event) => ({ ...event, severe: 0, present: event.present > 0 ? 1 : 0 })),
    );
    fc.assert(
      fc.property(steady, (script) => {
        const ops = live(script).arrived.filter(({ channel }) => channel === "ops");
        for (const messages of Map.groupBy(ops, ({ message }) => message.topic).values()) {
          const at = messages.filter(({ message }) => message.severity !== "resolved").map(({ message }) => message.at);
          for (const [index, time] of at.slice(1).entries()) {
            expect((time.getTime() - (at[index]?.getTime() ?? 0)) / 1000).toBeGreaterThanOrEqual(REPEAT);
          }
        }
      }),
      { numRuns: 80 },
    );
  });

  test("every alert that was sent and ended is resolved exactly once, and nothing stays undelivered", () => {
    fc.assert(
      fc.property(events, (script) => {
        const { arrived, state } = live(script);
        expect(state.alerts).toEqual([]);
        expect(state.outbox).toEqual([]);
        const ops = arrived.filter(({ channel }) => channel === "ops");
        for (const messages of Map.groupBy(ops, ({ message }) => message.topic).values()) {
          const kinds = messages.map(({ message }) => message.severity);
          expect(kinds[0]).not.toBe("resolved");
          expect(kinds.filter((kind) => kind === "resolved")).toEqual(["resolved"]);
          expect(kinds.at(-1)).toBe("resolved");
        }
      }),
      { numRuns: 80 },
    );
  });
});

describe("the outbox", () => {
  const message = (id: string): Message => ({
    id,
    severity: "warning",
    language: "en",
    title: "t",
    text: "t",
    facts: [],
    link: null,
    at: NOW,
    topic: id,
  });
  const of = (channel: string, id: string, queuedAt = NOW) => ({
    channel,
    message: { ...message(id), facts: [] },
    queuedAt,
    nextAt: queuedAt,
    attempts: 0,
    failed: null,
  });

  test("delivers in order, and a channel that fails holds up no other", () => {
    const outbox = [of("ops", "1"), of("ops", "2"), of("pager", "3")];
    expect(dueNow(outbox, NOW).map((each) => each.message.id)).toEqual(["1", "3"]);
    const [first] = outbox;
    if (!first) throw new Error("empty");
    const later = notDelivered(outbox, first, "404", NOW);
    expect(dueNow(later, ago(-59)).map((each) => each.message.id)).toEqual(["3"]);
    expect(dueNow(later, ago(-60)).map((each) => each.message.id)).toEqual(["1", "3"]);
    expect(failingChannels(later)).toEqual([{ name: "ops", since: NOW, reason: "404" }]);
    expect(dueNow(delivered(later, first), NOW).map((each) => each.message.id)).toEqual(["2", "3"]);
  });

  test("holds nothing for a channel about its own failure, in whatever language", () => {
    const topic = `${alertId({ rule: "channel-failed", subject: "ops" })}.1`;
    const about = { ...message("1"), severity: "critical", topic } as const;
    expect(enqueue([], about, "critical", alerts.channels, NOW).map(({ channel }) => channel)).toEqual(["pager"]);
  });

  test("is bounded in number and time, but keeps something to try a failing channel with", () => {
    const many = Array.from({ length: 150 }, (_, index) => of("ops", String(index)));
    const left = pruned(many, alerts.channels, NOW);
    expect(left.length).toBe(100);
    expect(left.at(-1)?.message.id).toBe("149");
    expect(pruned([of("gone", "1")], alerts.channels, NOW)).toEqual([]);
    const old = [of("ops", "1", ago(90_000)), of("ops", "2", ago(90_000))];
    expect(pruned(old, alerts.channels, NOW)).toEqual([]);
    const [, last] = old;
    if (!last) throw new Error("empty");
    const failing = notDelivered(old, last, "404", NOW);
    expect(pruned(failing, alerts.channels, NOW).map((each) => each.message.id)).toEqual(["2"]);
  });
});
