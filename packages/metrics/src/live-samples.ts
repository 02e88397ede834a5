import { ALERT_RULES } from "@trivault/core";
import type { Heartbeat } from "@trivault/site";
import type { Sample } from "./families.ts";
import { flag, known, one } from "./overview-samples.ts";

/** As `queueStates` of packages/queue returns it. */
export interface QueueFacts {
  readonly queue: string;
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  readonly completed: number;
  readonly failed: number;
  readonly workers: number;
  readonly oldestWaitingSeconds: number | null;
}

const SEVERITIES = ["warning", "critical"] as const;
const JOB_STATES = ["waiting", "active", "delayed", "completed", "failed"] as const;

/** Null: Redis does not answer. */
export function queueSamples(queues: readonly QueueFacts[] | null): Sample[] {
  return [
    one("trivault_queue_up", {}, flag(queues !== null)),
    ...(queues ?? []).flatMap((facts) => {
      const { queue } = facts;
      return [
        ...JOB_STATES.map((state) => one("trivault_queue_jobs", { queue, state }, facts[state])),
        one("trivault_queue_oldest_waiting_seconds", { queue }, facts.oldestWaitingSeconds ?? 0),
        one("trivault_queue_workers", { queue }, facts.workers),
      ];
    }),
  ];
}

/** One series for each service of a process: of two that share all labels the newer one counts. */
export function heartbeatSamples(beats: readonly Heartbeat[], now: Date): Sample[] {
  const newest = new Map<string, Heartbeat>();
  for (const beat of beats) {
    const key = JSON.stringify([beat.service, beat.host, beat.pid]);
    if ((newest.get(key)?.seenAt ?? 0) <= beat.seenAt) newest.set(key, beat);
  }
  const looks = beats.map(({ schedulesLookedAt }) => schedulesLookedAt?.getTime() ?? 0);
  const latest = Math.max(0, ...looks);
  return [
    ...newest.values().flatMap(({ service, host, pid, seenAt, redisDriftSeconds }) => {
      const labels = { service, host, pid: `${pid}` };
      return [
        one("trivault_heartbeat_timestamp_seconds", labels, seenAt.getTime() / 1000),
        one("trivault_heartbeat_age_seconds", labels, Math.max(0, (now.getTime() - seenAt.getTime()) / 1000)),
        ...known("trivault_clock_drift_seconds", labels, redisDriftSeconds),
      ];
    }),
    ...known("trivault_scheduler_timestamp_seconds", {}, latest === 0 ? null : latest / 1000),
  ];
}

export interface FiringAlert {
  readonly rule: string;
  readonly severity: string;
  /** Null: it fires. */
  readonly silence: object | null;
}

/** Every rule has its series, so that one that begins to fire is seen to rise. */
export function alertSamples(firing: readonly FiringAlert[]): Sample[] {
  return ALERT_RULES.flatMap((rule) =>
    SEVERITIES.map((severity) => {
      const alerts = firing.filter((alert) => alert.rule === rule && alert.severity === severity && !alert.silence);
      return one("trivault_alerts_firing", { rule, severity }, alerts.length);
    }),
  );
}
