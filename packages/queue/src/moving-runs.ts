import type { Config, QueueName } from "@trivault/core";
import type { Job } from "bullmq";
import { failingFast } from "./producer.ts";
import type { Queues } from "./queues.ts";
import { readJob, type RunStatus, runStatus, type StageStatus, statusOf } from "./runs.ts";

/** What is being done to one backup: made and copied, restored, or verified. */
export interface MovingRun extends RunStatus {
  readonly kind: "backup" | "restore" | "verify";
}

const STAGES = ["dump", "encrypt", "remote-sync", "cloud-upload"] as const;
const OTHERS = ["restore", "verify"] as const;
/** Backups whose dump job has been looked for. */
const REMEMBERED = 1000;

type Configured = Parameters<typeof runStatus>[1] & Pick<Config, "tiers">;

/** Looks, over and over, at what workers do just now. */
export interface RunWatch {
  /** All that moves, what moved at the last look (so that its end is seen), and the runs or backups that are named. */
  look(named: ReadonlySet<string>): Promise<MovingRun[]>;
}

export function watchRuns(queues: Queues, config: Configured): RunWatch {
  /** By backup: the job that dumps it, or null where there is none any more. */
  const dumpJobs = new Map<string, string | null>();
  let before = new Map<string, Entry>();
  return {
    look: (named) =>
      failingFast(async () => {
        const moving = await findMoving(queues);
        const entries = new Map([...before, ...moving]);
        for (const id of named) if (!hasBackup(entries, id)) entries.set(id, { kind: "backup", key: id, jobs: [] });
        const runs = await Promise.all(
          [...entries.values()].map((entry) =>
            entry.kind === "backup" ? backupOf(queues, config, entry, dumpJobs) : otherOf(queues, entry),
          ),
        );
        before = moving;
        for (const key of dumpJobs.keys()) {
          if (dumpJobs.size <= REMEMBERED) break;
          dumpJobs.delete(key);
        }
        return runs.filter((run) => run !== null);
      }),
  };
}

interface Entry {
  readonly kind: MovingRun["kind"];
  /** A backup's id, or that of its run; for the others the id of their job. */
  readonly key: string;
  readonly jobs: { readonly queue: QueueName; readonly job: Job }[];
}

async function findMoving(queues: Queues): Promise<Map<string, Entry>> {
  const entries = new Map<string, Entry>();
  const active = await Promise.all(
    [...STAGES, ...OTHERS].map(async (queue) => ({ queue, jobs: await queues[queue].getActive() })),
  );
  for (const { queue, jobs } of active) {
    for (const job of jobs) {
      // A job that ended since it was listed is null in BullMQ's answer.
      if (!job?.id) continue;
      const kind = queue === "restore" || queue === "verify" ? queue : "backup";
      const key = kind === "backup" ? (textOf(job.data?.backupId) ?? textOf(job.data?.current) ?? job.id) : job.id;
      const name = `${kind} ${key}`;
      const entry = entries.get(name) ?? { kind, key, jobs: [] };
      entry.jobs.push({ queue, job });
      entries.set(name, entry);
    }
  }
  return entries;
}

function hasBackup(entries: ReadonlyMap<string, Entry>, id: string): boolean {
  return [...entries.values()].some(
    ({ kind, key, jobs }) => kind === "backup" && (key === id || jobs.some(({ job }) => job.id === id)),
  );
}

async function backupOf(
  queues: Queues,
  config: Configured,
  { key, jobs }: Entry,
  dumpJobs: Map<string, string | null>,
): Promise<MovingRun | null> {
  const dump = jobs.find(({ queue }) => queue === "dump")?.job.id ?? dumpJobs.get(key);
  const run = dump === null ? null : await runStatus(queues, config, dump ?? key);
  // One that is not known yet, and that somebody waits for, is looked for again.
  if (run || jobs.length > 0) dumpJobs.set(key, run?.runId ?? null);
  if (run) return { kind: "backup", ...run };
  // Its dump is long forgotten: a copy that maintenance brings.
  const stages: StageStatus[] = [];
  for (const { queue, job } of jobs) {
    const id = job.id ?? "";
    const now = await readJob(queues[queue], id);
    if (now) stages.push(statusOf({ stage: queue, tier: textOf(now.job.data?.to), id }, now));
  }
  const database = textOf(jobs[0]?.job.data?.database);
  return database === null || stages.length === 0
    ? null
    : { kind: "backup", runId: key, database, backupId: key, stages };
}

async function otherOf(queues: Queues, { kind, key }: Entry): Promise<MovingRun | null> {
  if (kind === "backup") return null;
  const read = await readJob(queues[kind], key);
  const { job } = read ?? {};
  const database = textOf(job?.data?.database);
  if (read === null || job === undefined || database === null) return null;
  const stages = [statusOf({ stage: kind, tier: textOf(job.data?.tier), id: key }, read)];
  return { kind, runId: key, database, backupId: textOf(job.data?.backupId), stages };
}

function textOf(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}
