import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

/** Gauges that are named as if they were counters; their namesakes without `_total` say the same by type. */
const MISNAMED = ["active_handles_total", "active_requests_total", "active_resources_total"];
/** From a second to half a day. */
const BUCKETS = [1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 10_800, 43_200];
const OUTCOMES = ["completed", "failed", "retried", "put-off"] as const;

/** How an attempt of a job ended, as `onJob` of packages/queue reports it. */
export interface JobEnd {
  readonly outcome: (typeof OUTCOMES)[number];
  readonly seconds: number;
  readonly bytes: number;
}

/** What a process knows of itself; its counters begin with it. One for each process. */
export interface ProcessMetrics {
  /** For `startWorkers`: measures each job that is carried out here. */
  readonly onJob: (queue: string) => (end: JobEnd) => void;
  /** The series of jobs, from the start: a counter that appears with its first failure would not be seen to rise. */
  takesJobs(queues: readonly string[]): void;
  /** In the text format of Prometheus. */
  text(): Promise<string>;
  close(): void;
}

export const METRICS_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

export function createProcessMetrics(version: string): ProcessMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: "trivault_" });
  for (const name of MISNAMED) registry.removeSingleMetric(`trivault_nodejs_${name}`);
  const registers = [registry];
  const info = { name: "trivault_build_info", help: "The version that answers; always 1.", labelNames: ["version"] };
  new Gauge({ ...info, registers }).set({ version }, 1);
  const active = new Gauge({
    name: "trivault_jobs_active",
    help: "Jobs that this process carries out now.",
    labelNames: ["queue"],
    registers,
  });
  const ended = new Counter({
    name: "trivault_jobs_total",
    help: "Attempts that this process has carried out, by how they ended.",
    labelNames: ["queue", "outcome"],
    registers,
  });
  const duration = new Histogram({
    name: "trivault_job_duration_seconds",
    help: "How long those attempts took; those that were put off are left out.",
    labelNames: ["queue"],
    buckets: BUCKETS,
    registers,
  });
  const moved = new Counter({
    name: "trivault_job_bytes_total",
    help: "Bytes that those attempts moved.",
    labelNames: ["queue"],
    registers,
  });
  return {
    onJob(queue) {
      active.inc({ queue });
      return ({ outcome, seconds, bytes }) => {
        active.dec({ queue });
        ended.inc({ queue, outcome });
        moved.inc({ queue }, bytes);
        if (outcome !== "put-off") duration.observe({ queue }, seconds);
      };
    },
    takesJobs(queues) {
      for (const queue of queues) {
        active.inc({ queue }, 0);
        moved.inc({ queue }, 0);
        duration.zero({ queue });
        for (const outcome of OUTCOMES) ended.inc({ queue, outcome }, 0);
      }
    },
    text: () => registry.metrics(),
    close: () => registry.clear(),
  };
}
