import { describe, expect, test } from "@jest/globals";
import type { AuditEvent, RecordedEvent } from "@trivault/audit";
import fc from "fast-check";
import { foldRuns, readRuns } from "./fold-runs.ts";

const START = Date.parse("2026-11-23T02:00:00Z");
const MINUTE = 60_000;
const at = (minutes: number) => new Date(START + minutes * MINUTE);
const DONE = at(100_000);
const TIERS = ["local", "remote", "cloud"];
const all = { now: DONE, tiersOf: () => TIERS };

/** An id as made at that minute. */
function idAt(minutes: number, tail = 0): string {
  const time = at(minutes).toISOString().slice(0, 19).replaceAll(/[-:]/g, "").toLowerCase();
  return `${time}z-${tail.toString(10).padStart(8, "0")}`;
}

/** Writes a record: events with the minute at which they were written. */
function recordOf(events: readonly (readonly [number, Partial<AuditEvent>])[]): RecordedEvent[] {
  return events
    .map(([minutes, event], index) => ({ minutes, event, index }))
    .toSorted((a, b) => a.minutes - b.minutes || a.index - b.index)
    .map(({ minutes, event }, index) => ({
      action: "backup.dump",
      outcome: "ok",
      actor: "schedule",
      database: "shop",
      ...event,
      seq: index + 1,
      at: at(minutes),
      host: "h",
      pid: 1,
    }));
}

const id = idAt(0);
const dump = { action: "backup.dump", backupId: id, seconds: 50, bytes: 90, details: { attempt: 1 } } as const;
const encrypt = { action: "backup.encrypt", backupId: id, tier: "local", seconds: 55, bytes: 100 } as const;
const copy = (tier: string) => ({ action: "backup.copy", backupId: id, tier, seconds: 60, bytes: 100 }) as const;
const failed = (retried: boolean, attempt = 1) =>
  ({ outcome: "failed", error: { code: "DUMP_FAILED", message: "why" }, details: { attempt, retried } }) as const;

describe("one backup", () => {
  test("that came about as it shall", () => {
    expect(
      foldRuns(
        recordOf([
          [1, { ...dump, details: { rows: 12 } }],
          [2, encrypt],
          [3, copy("cloud")],
          [4, copy("remote")],
        ]),
        all,
      ),
    ).toEqual([
      {
        backupId: id,
        database: "shop",
        rows: 12,
        startedAt: at(0).toISOString(),
        state: "ok",
        actor: "schedule",
        slot: null,
        seconds: 240,
        bytes: 100,
        problem: null,
        stages: [
          {
            stage: "dump",
            tier: null,
            outcome: "ok",
            endedAt: at(1).toISOString(),
            seconds: 50,
            bytes: 90,
            attempts: 1,
          },
          {
            stage: "encrypt",
            tier: null,
            outcome: "ok",
            endedAt: at(2).toISOString(),
            seconds: 55,
            bytes: 100,
            attempts: 1,
          },
          {
            stage: "copy",
            tier: "remote",
            outcome: "ok",
            endedAt: at(4).toISOString(),
            seconds: 60,
            bytes: 100,
            attempts: 1,
          },
          {
            stage: "copy",
            tier: "cloud",
            outcome: "ok",
            endedAt: at(3).toISOString(),
            seconds: 60,
            bytes: 100,
            attempts: 1,
          },
        ],
      },
    ]);
  });

  const whole = [
    [1, dump],
    [2, encrypt],
  ] as const;
  test.each<[string, Parameters<typeof recordOf>[0], string[], number, string]>([
    ["on the local tier alone, where no other is wanted", whole, ["local"], 5, "ok"],
    ["whose copies are on their way", whole, TIERS, 5, "running"],
    ["whose copies never came", whole, TIERS, 600, "incomplete"],
    [
      "whose copy is tried again",
      [...whole, [3, copy("remote")], [4, { ...copy("cloud"), ...failed(true) }]],
      TIERS,
      60,
      "running",
    ],
    [
      "whose copy failed for good",
      [...whole, [3, copy("remote")], [4, { ...copy("cloud"), ...failed(false) }]],
      TIERS,
      5,
      "incomplete",
    ],
    [
      "whose copy was mended later",
      [...whole, [3, copy("remote")], [4, { ...copy("cloud"), ...failed(false) }], [900, copy("cloud")]],
      TIERS,
      901,
      "ok",
    ],
    [
      "of which a copy was damaged later",
      [...whole, [3, copy("remote")], [4, copy("cloud")], [900, { ...copy("cloud"), ...failed(false) }]],
      TIERS,
      901,
      "ok",
    ],
    ["that is being sealed", [[1, dump]], TIERS, 60, "running"],
    ["that was never sealed", [[1, dump]], TIERS, 3000, "failed"],
    [
      "whose sealing failed for good",
      [
        [1, dump],
        [2, { ...encrypt, ...failed(false, 5) }],
      ],
      TIERS,
      3,
      "failed",
    ],
    [
      "whose dump failed, and so its sealing; it is tried again",
      [
        [1, { ...dump, ...failed(true) }],
        [1, { ...encrypt, ...failed(false) }],
      ],
      TIERS,
      3,
      "running",
    ],
    [
      "whose dump failed for good",
      [
        [1, { ...dump, ...failed(false, 3) }],
        [2, { ...encrypt, ...failed(true) }],
      ],
      TIERS,
      3,
      "failed",
    ],
    ["that was tried again, and nothing more is recorded", [[1, { ...dump, ...failed(true) }]], TIERS, 3000, "failed"],
    ["that was asked for", [[0, { action: "backup.requested", details: { run: id } }]], TIERS, 5, "running"],
    [
      "that was asked for, and that nobody began",
      [[0, { action: "backup.requested", details: { run: id } }]],
      TIERS,
      3000,
      "failed",
    ],
    [
      "of which the audit log lacks the dump",
      [
        [2, encrypt],
        [3, copy("remote")],
        [4, copy("cloud")],
      ],
      TIERS,
      5,
      "ok",
    ],
    [
      "that was adopted from a dump made elsewhere",
      [
        [9000, { ...encrypt, action: "backup.adopted" }],
        [9001, copy("remote")],
        [9002, copy("cloud")],
      ],
      TIERS,
      9003,
      "ok",
    ],
    ["whose adoption failed: no run at all", [[1, { action: "backup.adopted", ...failed(false) }]], TIERS, 5, ""],
  ])("%s", (_, events, tiers, now, state) => {
    const runs = foldRuns(recordOf(events), { now: at(now), tiersOf: () => tiers });
    expect(runs.map((run) => run.state)).toEqual(state === "" ? [] : [state]);
    for (const run of runs)
      expect(run.problem === null).toBe(
        run.state === "ok" || (run.state === "running" && !events.some(([, e]) => e.outcome === "failed")),
      );
  });

  test("an adopted one begins when it is adopted, whatever its id says", () => {
    const [run] = foldRuns(recordOf([[9000, { ...encrypt, action: "backup.adopted", seconds: 60 }]]), {
      tiersOf: () => ["local"],
      now: DONE,
    });
    expect(run).toMatchObject({ startedAt: at(8999).toISOString(), seconds: 60, state: "ok" });
  });

  test("a tier that was added later is not asked of the runs before it", () => {
    const second = idAt(1000);
    const events = recordOf([
      ...whole,
      [3, copy("remote")],
      [1001, { ...dump, backupId: second }],
      [1002, { ...encrypt, backupId: second }],
      [1003, { ...copy("remote"), backupId: second }],
      [1004, { ...copy("cloud"), backupId: second }],
    ]);
    expect(foldRuns(events, all).map(({ state }) => state)).toEqual(["ok", "ok"]);
  });
});

test("a dump that is tried again is one run: by its slot, or by who asked for it", () => {
  const [second, third] = [idAt(1, 2), idAt(2, 3)];
  for (const slot of [at(0).toISOString(), undefined]) {
    const ofSlot = slot === undefined ? {} : { slot };
    const events = recordOf([
      ...(slot === undefined ? [[0, { action: "backup.requested", details: { run: id } }] as const] : []),
      [1, { ...dump, ...failed(true), details: { attempt: 1, retried: true, ...ofSlot } }],
      [1, { ...encrypt, ...failed(false) }],
      [2, { ...dump, ...failed(true), backupId: second, details: { attempt: 2, retried: true, ...ofSlot } }],
      [3, { ...dump, backupId: third, details: { attempt: 3, ...ofSlot } }],
      [4, { ...encrypt, backupId: third }],
    ]);
    const runs = foldRuns(events, { now: DONE, tiersOf: () => ["local"] });
    expect(runs).toMatchObject([{ backupId: third, startedAt: at(0).toISOString(), state: "ok", problem: null }]);
    expect(runs[0]?.stages).toMatchObject([
      { stage: "dump", attempts: 3 },
      { stage: "encrypt", outcome: "ok" },
    ]);
  }
});

test("a period holds the runs that were begun in it, and the slots that were missed in it", async () => {
  const events = recordOf([
    [-1, { ...dump, backupId: idAt(-1) }],
    [1, dump],
    [2, encrypt],
    [2, { action: "schedule.missed", outcome: "failed", details: { missed: 2, slot: "x" } }],
    [2, { action: "schedule.missed", outcome: "failed", details: { missed: 0, lateSeconds: 900 } }],
    [11, { ...dump, backupId: idAt(11) }],
  ]);
  const query = async function* (filter: { from?: Date | undefined; to?: Date | undefined }) {
    yield* events.filter((event) => event.at >= (filter.from ?? at(-9)) && event.at <= (filter.to ?? DONE));
  };
  const { runs, missed } = await readRuns(
    { query },
    { from: at(0), to: at(10) },
    { tiersOf: () => ["local"], now: DONE },
  );
  expect(runs.map(({ backupId }) => backupId)).toEqual([id]);
  expect(missed).toEqual([{ database: "shop", at: at(2).toISOString(), slots: 2 }]);
});

/** What may become of one run. */
const scenario = fc.record({
  database: fc.constantFrom("shop", "billing"),
  scheduled: fc.boolean(),
  recordedRequest: fc.boolean(),
  failures: fc.integer({ min: 0, max: 2 }),
  end: fc.constantFrom("dump failed", "encrypt failed", "ok", "copy failed"),
  /** Minutes until the next attempt. */
  pause: fc.integer({ min: 1, max: 30 }),
  length: fc.integer({ min: 1, max: 3 }),
});
type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never;

/** The audit log of such runs: of one database one dump at a time, so one run after the other, with copies that may overlap. */
function play(scenarios: readonly Scenario[]): RecordedEvent[] {
  const events: [number, Partial<AuditEvent>][] = [];
  const clocks = new Map<string, number>();
  let tail = 0;
  for (const { database, scheduled, recordedRequest, failures, end, pause, length } of scenarios) {
    let clock = (clocks.get(database) ?? 0) + 1;
    const actor = scheduled ? "schedule" : "user:ann@host";
    const slot = scheduled ? { slot: at(clock).toISOString() } : {};
    const push = (event: Partial<AuditEvent>) => events.push([clock, { database, actor, ...event }]);
    let backupId = idAt(clock, ++tail);
    if (!scheduled && recordedRequest) push({ action: "backup.requested", details: { run: backupId } });
    for (let attempt = 1; attempt <= failures; attempt += 1) {
      clock += length;
      push({ ...failed(true), backupId, details: { ...slot, attempt, retried: true } });
      push({ action: "backup.encrypt", ...failed(false), backupId });
      clock += pause;
      backupId = idAt(clock, ++tail);
    }
    clock += length;
    const details = { ...slot, attempt: failures + 1 };
    if (end === "dump failed") push({ ...failed(false), backupId, details: { ...details, retried: false } });
    else push({ backupId, details, bytes: 5 });
    clocks.set(database, clock);
    if (end === "dump failed") continue;
    push({ action: "backup.encrypt", backupId, ...(end === "encrypt failed" ? failed(false) : {}) });
    clock += 5;
    const copyEnd = end === "ok" ? {} : failed(false);
    if (end !== "encrypt failed") push({ action: "backup.copy", tier: "remote", backupId, ...copyEnd });
  }
  return recordOf(events);
}

const STATES = { "dump failed": "failed", "encrypt failed": "failed", ok: "ok", "copy failed": "incomplete" } as const;

test("for any history: a run is counted once, with its end, in whatever order and however often its events come", () => {
  const options = { now: DONE, tiersOf: () => ["local", "remote"] };
  fc.assert(
    fc.property(fc.array(scenario, { maxLength: 12 }), fc.infiniteStream(fc.nat()), (scenarios, numbers) => {
      const events = play(scenarios);
      const runs = foldRuns(events, options);
      const count = (states: readonly string[]) =>
        Object.fromEntries(
          Map.groupBy(states, (s) => s)
            .entries()
            .map(([s, those]) => [s, those.length]),
        );
      expect(count(runs.map(({ state, database }) => `${database} ${state}`))).toEqual(
        count(scenarios.map(({ end, database }) => `${database} ${STATES[end]}`)),
      );
      expect(runs.filter(({ state }) => state !== "ok").every(({ problem }) => problem !== null)).toBe(true);
      const next = () => numbers.next().value as number;
      const again = [...events, ...events.filter(() => next() % 3 === 0)];
      const shuffled = again
        .map((event) => ({ event, key: next() }))
        .toSorted((a, b) => a.key - b.key)
        .map(({ event }) => event);
      expect(foldRuns(shuffled, options)).toEqual(runs);
    }),
    { numRuns: 200 },
  );
});
