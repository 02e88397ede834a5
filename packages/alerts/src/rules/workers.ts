import { QUEUES } from "@trivault/core";
import type { Heartbeat } from "@trivault/site";
import type { Observation } from "../types.ts";
import { begun, numberIn, sumOf, textIn } from "../sign-facts.ts";
import { type Rule, sign } from "./rule.ts";

/** A process beats every ten seconds. */
const FRESH_MS = 60_000;

/** Neither a heartbeat nor the queue knows of a worker. */
export const noWorker: Rule = {
  clearSeconds: 0,
  keeps: (_, { queues }) => queues !== null && "unreachable" in queues,
  signs(observation) {
    const { now, config, queues } = observation;
    const { silentSeconds } = config.monitoring.alerts.thresholds;
    return unserved(observation).flatMap((queue) => {
      const last = lastSeen(observation, queue);
      if (last && now.getTime() - last.getTime() < silentSeconds * 1000) return [];
      const waiting = Array.isArray(queues) ? (queues.find((each) => each.queue === queue)?.waiting ?? 0) : 0;
      return [
        sign({
          rule: "no-worker",
          subject: "workers",
          member: queue,
          severity: "critical",
          since: last ?? now,
          holdSeconds: last ? 0 : silentSeconds,
          data: { waiting },
        }),
      ];
    });
  },
  words(signs, { now }, texts) {
    const queues = signs.map(({ member }) => member);
    const waiting = sumOf(signs, "waiting");
    return {
      ...texts.noWorker({ queues, all: queues.length >= QUEUES.length, waiting, ...begun(signs, now) }),
      link: "/",
    };
  },
};

export const queueUnreachable: Rule = {
  clearSeconds: 0,
  signs: ({ queues, now }) =>
    queues === null || !("unreachable" in queues)
      ? []
      : [
          sign({
            rule: "queue-unreachable",
            subject: "queue",
            member: "queue",
            severity: "critical",
            since: now,
            holdSeconds: 30,
            data: { reason: queues.unreachable },
          }),
        ],
  words: (signs, { now }, texts) => ({
    ...texts.queueUnreachable({ reason: textIn(signs[0], "reason"), ...begun(signs, now) }),
    link: "/",
  }),
};

/** Nobody looks at the schedules, so no backup will begin by itself. */
export const schedulerSilent: Rule = {
  clearSeconds: 0,
  signs(observation) {
    const { config, heartbeats, now } = observation;
    const { silentSeconds } = config.monitoring.alerts.thresholds;
    if (![...config.databases, ...config.servers].some(({ schedule }) => schedule !== null)) return [];
    const looks = heartbeats.flatMap(({ schedulesLookedAt }) => schedulesLookedAt ?? []);
    const last = looks.toSorted((a, b) => b.getTime() - a.getTime())[0];
    if (last && now.getTime() - last.getTime() <= silentSeconds * 1000) return [];
    return [
      sign({
        rule: "scheduler-silent",
        subject: "scheduler",
        member: "scheduler",
        severity: "critical",
        since: last ?? now,
        holdSeconds: last ? 15 : silentSeconds,
        // Those say why.
        suppressed:
          (observation.queues !== null && "unreachable" in observation.queues) ||
          unserved(observation).includes("dump"),
      }),
    ];
  },
  words: (signs, { now }, texts) => ({ ...texts.schedulerSilent(begun(signs, now)), link: "/" }),
};

/** Clocks that differ make backups look older or newer than they are, and end logins early. */
export const clockDrift: Rule = {
  clearSeconds: 60,
  signs({ config, heartbeats, now }) {
    const most = config.monitoring.alerts.thresholds.clockDriftSeconds;
    return heartbeats
      .filter((beat) => isFresh(beat, now))
      .flatMap((beat) => {
        const drift = driftOf(beat);
        if (Math.abs(drift) <= most) return [];
        const data = { drift: Math.abs(drift), ahead: drift > 0 };
        const common = { rule: "clock-drift", severity: "warning", since: now, holdSeconds: 60 } as const;
        return [sign({ ...common, subject: beat.host, member: beat.host, data })];
      })
      .filter((each, index, all) => all.findIndex(({ member }) => member === each.member) === index);
  },
  words(signs, { now }, texts) {
    const [first] = signs;
    const text = texts.clockDrift({
      host: first?.subject ?? "",
      drift: numberIn(first, "drift") ?? 0,
      ahead: first?.data["ahead"] === true,
      ...begun(signs, now),
    });
    return { ...text, link: "/" };
  },
};

function unserved({ queues, heartbeats, now }: Observation): string[] {
  if (queues !== null && "unreachable" in queues) return []; // as it was before: keeps
  const served = new Set(heartbeats.filter((beat) => isFresh(beat, now)).flatMap((beat) => beat.queues));
  return QUEUES.filter((queue) => {
    const known = queues?.find((each) => each.queue === queue);
    return !served.has(queue) && (known === undefined ? queues === null : known.workers === 0);
  });
}

function lastSeen({ heartbeats }: Observation, queue: string): Date | null {
  const beats = heartbeats.filter((beat) => beat.queues.includes(queue)).map(({ seenAt }) => seenAt.getTime());
  return beats.length === 0 ? null : new Date(Math.max(...beats));
}

function isFresh({ seenAt }: Heartbeat, now: Date): boolean {
  return now.getTime() - seenAt.getTime() <= FRESH_MS;
}

/** The larger of the two differences; positive: its clock is ahead. */
function driftOf({ at, seenAt, redisDriftSeconds }: Heartbeat): number {
  const toFiles = (at.getTime() - seenAt.getTime()) / 1000;
  return redisDriftSeconds !== null && Math.abs(redisDriftSeconds) > Math.abs(toFiles) ? redisDriftSeconds : toFiles;
}
