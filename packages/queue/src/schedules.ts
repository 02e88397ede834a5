import { type DatabaseConfig, directoryOf } from "@trivault/core";
import type { DumpJob } from "./jobs.ts";
import { JOB_OPTIONS, KEEP_JOBS } from "./jobs.ts";
import type { Queues } from "./queues.ts";

const SCHEDULE_PREFIX = "database-";
const MAINTENANCE_EVERY_MINUTES = 15;

/**
 * Makes the schedules in Redis be those of the configuration: each database with its cron line, and maintenance. Called
 * at each start (and from time to time, as Redis may be wiped); any number of processes may do so at once, since BullMQ
 * makes one job per slot whoever asks.
 */
export async function ensureSchedules(queues: Queues, databases: readonly DatabaseConfig[]): Promise<void> {
  const wanted = new Set<string>();
  for (const { name, schedule } of databases) {
    if (!schedule) continue;
    const id = `${SCHEDULE_PREFIX}${directoryOf(name)}`;
    wanted.add(id);
    const data: DumpJob = { database: name, requestedBy: "schedule" };
    await queues.dump.upsertJobScheduler(
      id,
      { pattern: schedule.cron, tz: schedule.timeZone },
      { name: "dump", data, opts: { ...JOB_OPTIONS.dump, ...KEEP_JOBS } },
    );
  }
  for (const { key } of await queues.dump.getJobSchedulers()) {
    if (key.startsWith(SCHEDULE_PREFIX) && !wanted.has(key)) await queues.dump.removeJobScheduler(key);
  }
  await queues.maintenance.upsertJobScheduler(
    "maintenance",
    { pattern: `*/${MAINTENANCE_EVERY_MINUTES} * * * *` },
    { name: "maintenance", data: {}, opts: KEEP_JOBS },
  );
}
