import { QUEUES } from "@trivault/core";
import type { Heartbeat } from "@trivault/maintenance";
import type { Observation } from "../types.ts";
import { age, count, datum, earliest, list, since } from "../words.ts";
import { type Rule, sign } from "./rule.ts";

/** A process beats every ten seconds. */
const FRESH_MS = 60_000;
const SAFE = "All backups and copies that exist are untouched.";

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
          data: { waiting: String(waiting) },
        }),
      ];
    });
  },
  words(signs, { now }) {
    const queues = signs.map(({ member }) => member);
    const all = queues.length >= QUEUES.length;
    const waiting = signs.reduce((sum, each) => sum + Number(datum(each, "waiting")), 0);
    return {
      title: all ? "No worker is running" : `No worker serves ${list(queues)}`,
      what: `${all ? "No process takes any job" : `No process takes jobs of ${list(queues)}`}, since ${since(earliest(signs), now)}. ${count(waiting, "job")} ${waiting === 1 ? "waits" : "wait"}.`,
      safe: SAFE,
      todo: "Start a worker (`npm run worker`, or the worker container) and look at its log for why the last one ended. What was missed is made up for by itself.",
      facts: [
        ["Queues", list(queues)],
        ["Waiting", String(waiting)],
      ],
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
  words: (signs, { now }) => ({
    title: "The queue (Redis) cannot be reached",
    what: `Redis does not answer, since ${since(earliest(signs), now)}, so no new backup can begin. ${datum(signs[0], "reason")}`,
    safe: `${SAFE} What was running goes on.`,
    todo: "Start Redis, or correct REDIS_URL. Nothing is lost with it: what was due is found in the record and made up for.",
    facts: [],
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
  words: (signs, { now }) => ({
    title: "Nobody looks at the schedules",
    what: `No worker has looked at which backups are due since ${since(earliest(signs), now)}, so none begins by itself.`,
    safe: SAFE,
    todo: "Restart the workers, and look at their logs for what keeps them busy. Runs that were missed are made up for.",
    facts: [],
    link: "/",
  }),
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
        const data = { drift: age(Math.abs(drift)), ahead: drift > 0 ? "ahead" : "behind" };
        const common = { rule: "clock-drift", severity: "warning", since: now, holdSeconds: 60 } as const;
        return [sign({ ...common, subject: beat.host, member: beat.host, data })];
      })
      .filter((each, index, all) => all.findIndex(({ member }) => member === each.member) === index);
  },
  words(signs, { now }) {
    const [first] = signs;
    const host = first?.subject ?? "";
    return {
      title: `The clock of ${host} is ${datum(first, "drift")} ${datum(first, "ahead")}`,
      what: `The clock of ${host} differs by ${datum(first, "drift")} from that of the queue or of the file system, since ${since(earliest(signs), now)}.`,
      safe: `${SAFE} Their names bear the time of the clock that made them.`,
      todo: `Turn on time synchronisation on ${host} (chrony or systemd-timesyncd), and see \`timedatectl\`.`,
      facts: [
        ["Host", host],
        ["Difference", `${datum(first, "drift")} ${datum(first, "ahead")}`],
      ],
      link: "/",
    };
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
