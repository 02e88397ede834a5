import type { AuditLog } from "@trivault/audit";
import { type DatabaseConfig, DAY_MS, type LimitsConfig, type Logger, messageOf, within } from "@trivault/core";
import { type SlotJob, slotJobId } from "@trivault/queue";
import { latestSlot, nextSlot, type Schedule, spreadSeconds } from "@trivault/schedule";
import { maintenanceRounds } from "./maintenance-rounds.ts";
import { slotsBetween, missedBefore } from "./missed-slots.ts";
import type { ScheduleQueue, Slot } from "./schedule-queue.ts";
import { lastSlots } from "./slot-history.ts";

/** A look that takes longer is given up. The next one does the same again, which does no harm. */
const LOOK_MS = 60_000;

export interface SchedulerDeps {
  readonly limits: LimitsConfig;
  readonly tiers: readonly { readonly name: string }[];
  /** All databases there are, those discovered too. One that is not among them any more is not scheduled any more. */
  readonly databases: () => Promise<readonly DatabaseConfig[]>;
  readonly queue: ScheduleQueue;
  readonly history: Pick<AuditLog, "query">;
  /** Slots that are being run, also by jobs that the queue has forgotten. */
  readonly running: () => Promise<readonly Slot[]>;
  readonly now: () => Date;
  readonly log: Logger;
}

interface DueSlot extends Slot {
  readonly config: DatabaseConfig & { readonly schedule: Schedule };
  /** The database's delay, in milliseconds. */
  readonly spread: number;
  /** The slot before it, where this scheduler saw to that one: then nobody can have run this one before. */
  readonly before: Date | null;
}

/** The newest slot of a database that was seen to; nothing is due from `since` until `until`. */
interface Seen {
  readonly how: string;
  readonly slot: Date;
  readonly since: number;
  readonly until: number;
}

export interface RunningScheduler {
  /** When a look last came to its end, by this machine's clock. */
  lookedAt(): Date | null;
  close(): void;
}

/** Looks at the schedules from now on, every `tickMs`. */
export function startScheduler(deps: SchedulerDeps & { readonly tickMs: number }): RunningScheduler {
  const scheduler = createScheduler(deps);
  let timer: NodeJS.Timeout | null = null;
  let closed = false;
  let lookedAt: Date | null = null;
  const look = async () => {
    try {
      await within(LOOK_MS, scheduler.look());
      lookedAt = new Date();
    } catch (error) {
      if (!closed) deps.log.warn({ reason: messageOf(error) }, "schedules could not be looked at; again in a moment");
    }
    if (!closed) timer = setTimeout(() => void look(), deps.tickMs);
  };
  void look();
  return {
    lookedAt: () => lookedAt,
    close() {
      closed = true;
      if (timer) clearTimeout(timer);
    },
  };
}

/**
 * Finds which databases have come to a new slot, and enqueues its run. Every worker process does so, since they all give a
 * slot's run the same id. What was seen to is remembered here, and forgotten when Redis may have lost something: then what
 * neither the queue nor the audit log knows is enqueued again. Where several slots were missed, only the newest is run.
 */
export function createScheduler(deps: SchedulerDeps): { look(): Promise<void> } {
  const seen = new Map<string, Seen>();
  const rounds = maintenanceRounds(deps);
  return {
    async look() {
      const now = deps.now().getTime();
      if (await deps.queue.mayHaveLost()) {
        seen.clear();
        await rounds.begin();
      }
      await rounds.look(now);
      const due = dueSlots(await deps.databases(), deps.limits, seen, now);
      if (due.length === 0) return;
      const jobs = await unserved(deps, due, now);
      if (jobs.length > 0) await deps.queue.add(jobs);
      for (const { database, config, slot, spread } of due) {
        const until = nextSlot(config.schedule, slot).getTime() + spread;
        seen.set(database, { how: howOf(config.schedule, spread), slot, since: slot.getTime() + spread, until });
      }
    },
  };
}

function dueSlots(
  databases: readonly DatabaseConfig[],
  limits: LimitsConfig,
  seen: Map<string, Seen>,
  now: number,
): DueSlot[] {
  const names = new Set(databases.map(({ name }) => name));
  for (const name of seen.keys()) if (!names.has(name)) seen.delete(name);
  const widest = databases.length > 1 ? limits.spreadSeconds : 0;
  const due: DueSlot[] = [];
  for (const config of databases) {
    if (!isScheduled(config)) continue;
    const { name, schedule } = config;
    const spread = spreadSeconds(name, schedule, widest) * 1000;
    const known = seen.get(name);
    const last = known?.how === howOf(schedule, spread) ? known : null;
    if (last && now >= last.since && now < last.until) continue;
    const slot = latestSlot(schedule, new Date(now - spread));
    due.push({ database: name, config, slot, spread, before: last && last.slot < slot ? last.slot : null });
  }
  return due;
}

/** Those that nobody has run yet, nor is about to. */
async function unserved(deps: SchedulerDeps, due: readonly DueSlot[], now: number): Promise<SlotJob[]> {
  const unsure = due.filter(({ before }) => before === null);
  const known = unsure.length > 0 ? await deps.queue.known(unsure) : new Set();
  const unknown = unsure.filter((slot) => !known.has(slot));
  const last = await lastSlots(deps.history, unknown, now);
  const open = due.filter((one) => !known.has(one) && !(unknown.includes(one) && isServed(one, last, now)));
  const missed = await countMissed(deps, open, last);
  return open.map(({ database, config, slot, spread, before }) => {
    // Where none was ever run, none was missed.
    const ever = before ?? last.get(database);
    const late = ever && missedBefore(config.schedule, slot, missed.get(database) ?? 0, now - spread);
    return { database, slot, priority: config.priority, ...(late && { missed: late }) };
  });
}

/** How many slots before these were not run: those that still wait, or are being run this moment, were not missed. */
async function countMissed(
  { queue, running }: SchedulerDeps,
  open: readonly DueSlot[],
  last: ReadonlyMap<string, Date>,
): Promise<Map<string, number>> {
  const between = open.flatMap(({ database, config, slot, before }) => {
    const ever = before ?? last.get(database);
    return ever ? slotsBetween(database, config.schedule, ever, slot) : [];
  });
  if (between.length === 0) return new Map();
  const known = await queue.known(between);
  const live = new Set((await running()).map(({ database, slot }) => slotJobId(database, slot)));
  const missed = between.filter((one) => !known.has(one) && !live.has(slotJobId(one.database, one.slot)));
  return new Map(
    Map.groupBy(missed, ({ database }) => database)
      .entries()
      .map(([name, slots]) => [name, slots.length]),
  );
}

/** A newer slot serves too, where the clock was put back; not one of years ahead, from when it was wrong. */
function isServed({ database, slot }: Slot, last: ReadonlyMap<string, Date>, now: number): boolean {
  const served = last.get(database);
  return served !== undefined && served >= slot && served.getTime() < now + DAY_MS;
}

function isScheduled(config: DatabaseConfig): config is DueSlot["config"] {
  return config.schedule !== null;
}

function howOf({ cron, timeZone }: Schedule, spread: number): string {
  return `${cron} ${timeZone} ${spread}`;
}
