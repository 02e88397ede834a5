import { setTimeout as sleep } from "node:timers/promises";
import { type AuditLog, auditFolder, openAuditLog, type RecordedEvent } from "@trivault/audit";
import { listCopies } from "@trivault/backup";
import { closeQueues, connectRedis, openQueues, siteJobKey } from "@trivault/queue";
import { randomNumbers } from "../support/random.ts";
import { setClock } from "../support/simulated-clock.ts";
import { expectedBackups } from "./oracle.ts";
import { createWorld, POLICY, type SimulatedWorker, TIME_ZONE, type World } from "./world.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Simulated hours end a moment early, so that whatever begins late begins in its own hour. */
const LAST_MOMENT_MS = 5000;
/** In one simulated hour: on a slow machine, too, more work gets done between two accidents than the second one undoes. */
const MOST_ACCIDENTS_AN_HOUR = 2;
/** A slot that is not served by then never will be. */
const SLOT_DEADLINE_SECONDS = 240;

export interface SimulationOptions {
  readonly databases: number;
  readonly hours: number;
  readonly workers: number;
  /** The same seed makes the same accidents in the same order. */
  readonly seed: number;
  /** Simulated seconds in a real one. */
  readonly rate: number;
  /** Real seconds between two accidents, on average. */
  readonly accidentEverySeconds: number;
  readonly say: (line: string) => void;
}

export interface SimulationResult {
  readonly slots: number;
  readonly runs: number;
  readonly workersKilled: number;
  readonly redisRestarts: number;
  readonly realSeconds: number;
  /** Empty if one run was made per slot, retention is exact and the tiers are equal. */
  readonly problems: readonly string[];
  /** Copies without a manifest, left by killed workers: swept once they are a day old, which no simulation lives to see. */
  readonly remains: number;
  /** With and without a manifest. */
  readonly copies: Readonly<Record<string, number>>;
}

/** Hour after hour of a site's life, with workers killed and Redis restarted at random; what must hold is looked at last. */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const begun = performance.now();
  await using world = await createWorld(options.databases);
  const start = startOf(options.hours);
  const log = openAuditLog(auditFolder(world.config.backupDir));
  const accidents = startAccidents(world, options);
  try {
    const slots: Date[] = [];
    for (let hour = 0; hour < options.hours; hour++) {
      const slot = new Date(start.getTime() + hour * HOUR_MS);
      slots.push(slot);
      setClock(world.clockFile, slot, new Date(slot.getTime() + HOUR_MS - LAST_MOMENT_MS), options.rate);
      if (hour === 0) accidents.begin();
      accidents.hourBegins();
      const took = await slotServed(log, world, slot, accidents);
      options.say(`hour ${hour + 1} of ${options.hours}: ${world.databases.length} backups, ${took.toFixed(0)} s`);
    }
    await accidents.cease();
    const order = await untilInOrder(world, log, slots);
    return {
      slots: slots.length,
      runs: slots.length * world.databases.length,
      ...accidents.count(),
      realSeconds: (performance.now() - begun) / 1000,
      ...order,
      copies: Object.fromEntries(
        await Promise.all(world.tiers.map(async (tier) => [tier.name, (await listCopies(tier)).length] as const)),
      ),
    };
  } finally {
    await accidents.cease();
    await log.close();
  }
}

/**
 * In the evening before a midnight, so that days change; and in the past, so that no file is older than it should be: what
 * tiers date is dated by the real clock.
 */
function startOf(hours: number): Date {
  const midnight = Math.floor((Date.now() - hours * HOUR_MS) / DAY_MS) * DAY_MS;
  return new Date(midnight - 7 * HOUR_MS);
}

/** Waits until each database has a sealed backup of this slot, and the simulated hour is over. */
async function slotServed(log: AuditLog, world: World, slot: Date, accidents: Accidents): Promise<number> {
  const begun = performance.now();
  for (;;) {
    const served = new Set<string>();
    for await (const event of log.query({ from: slot, action: "backup.encrypt", outcome: "ok" })) {
      // One of the hour before may be recorded again: its worker died after it was sealed.
      if (event.database !== undefined && event.backupId?.startsWith(stampOf(slot))) served.add(event.database);
    }
    const seconds = (performance.now() - begun) / 1000;
    if (served.size === world.databases.length) return seconds;
    if (seconds > SLOT_DEADLINE_SECONDS) {
      const missing = world.databases.filter((name) => !served.has(name));
      throw new Error(
        `the slot ${slot.toISOString()} was not served in ${SLOT_DEADLINE_SECONDS} s: ${missing.slice(0, 5).join(", ")} … ${accidents.logs()}`,
      );
    }
    await sleep(200);
  }
}

interface Accidents {
  begin(): void;
  hourBegins(): void;
  cease(): Promise<void>;
  count(): { workersKilled: number; redisRestarts: number };
  logs(): string;
}

function startAccidents(
  world: World,
  { workers: workerCount, seed, accidentEverySeconds, say }: SimulationOptions,
): Accidents {
  const random = randomNumbers(seed);
  const stop = new AbortController();
  let workers: SimulatedWorker[] = [];
  let workersKilled = 0;
  let redisRestarts = 0;
  let left = MOST_ACCIDENTS_AN_HOUR;
  let going: Promise<void> | null = null;
  const live = async () => {
    while (!stop.signal.aborted) {
      await sleep((0.5 + random()) * accidentEverySeconds * 1000, undefined, { signal: stop.signal });
      if (left === 0) continue;
      left--;
      if (random() < 0.25) {
        const signal = random() < 0.5 ? "SIGKILL" : "SIGTERM";
        say(`redis-server restarted by ${signal}`);
        await world.redis.restart(signal);
        redisRestarts++;
      } else {
        const index = Math.floor(random() * workers.length);
        say(`worker ${index + 1} killed`);
        await workers[index]?.end("SIGKILL");
        workersKilled++;
        await sleep(random() * 2000, undefined, { signal: stop.signal }).catch(() => undefined);
        workers[index] = world.startWorker();
      }
    }
  };
  return {
    begin() {
      workers = Array.from({ length: workerCount }, () => world.startWorker());
      going = live().catch((error: unknown) => {
        if (!stop.signal.aborted) throw error;
      });
    },
    hourBegins() {
      left = MOST_ACCIDENTS_AN_HOUR;
    },
    async cease() {
      stop.abort();
      await going;
    },
    count: () => ({ workersKilled, redisRestarts }),
    logs: () => workers.map((worker) => worker.log().slice(-2000)).join("\n"),
  };
}

interface Order {
  readonly problems: readonly string[];
  readonly remains: number;
}

/** Lets maintenance do what is left, by workers that nobody kills any more; what then still is wrong is wrong. */
async function untilInOrder(world: World, log: AuditLog, slots: readonly Date[]): Promise<Order> {
  const redis = connectRedis(world.redis.url, "fail-fast");
  const queues = openQueues(redis, siteJobKey(world.config.backupDir));
  try {
    // Time stands still, so that no new slot comes; maintenance would come every quarter of an hour, here it is asked for.
    for (const deadline = Date.now() + 300_000; ;) {
      for (const { name } of world.tiers) await queues.maintenance.add("maintenance", { tier: name });
      await sleep(5000);
      const order = await inspect(world, log, slots);
      if (order.problems.length === 0 || Date.now() > deadline) return order;
    }
  } finally {
    await closeQueues(queues);
    redis.disconnect();
  }
}

async function inspect(world: World, log: AuditLog, slots: readonly Date[]): Promise<Order> {
  const problems: string[] = [];
  let remains = 0;
  const made = await madeBackups(log);
  const held = new Map<string, Map<string, string[]>>();
  for (const tier of world.tiers) {
    const byDatabase = new Map<string, string[]>();
    for (const copy of await listCopies(tier)) {
      if (!copy.complete) remains++;
      else byDatabase.set(copy.database, [...(byDatabase.get(copy.database) ?? []), copy.backupId]);
    }
    held.set(tier.name, byDatabase);
  }
  for (const database of world.databases) {
    const ids = made.get(database) ?? [];
    if (ids.length !== slots.length) problems.push(`${database} has ${ids.length} backups of ${slots.length} slots`);
    problems.push(...slots.flatMap((slot) => oneRunIn(database, slot, ids)));
    const expected = expectedBackups(ids, POLICY, TIME_ZONE);
    for (const [tier, byDatabase] of held) {
      const found = (byDatabase.get(database) ?? []).toSorted();
      if (found.join() !== expected.join()) {
        const missing = expected.filter((id) => !found.includes(id));
        const surplus = found.filter((id) => !expected.includes(id));
        problems.push(
          `${tier} of ${database}: lacks ${missing.join(" ") || "nothing"}, has ${surplus.join(" ") || "nothing"} too many`,
        );
      }
    }
  }
  const verdict = await log.verify();
  if (!verdict.ok) problems.push(`the audit log is broken: ${JSON.stringify(verdict.problems.slice(0, 3))}`);
  return { problems, remains };
}

function oneRunIn(database: string, slot: Date, ids: readonly string[]): string[] {
  const count = ids.filter((id) => id.startsWith(stampOf(slot))).length;
  return count === 1 ? [] : [`${database} has ${count} runs in the slot ${slot.toISOString()}`];
}

/** What the ids of a slot's backups begin with: the hour. */
function stampOf(slot: Date): string {
  return slot.toISOString().slice(0, 13).replaceAll("-", "").toLowerCase();
}

/** Every backup that was ever sealed, by database, from the audit log. */
async function madeBackups(log: AuditLog): Promise<Map<string, string[]>> {
  const made = new Map<string, Set<string>>();
  for await (const event of log.query({ action: "backup.encrypt", outcome: "ok" })) add(made, event);
  return new Map([...made].map(([database, ids]) => [database, [...ids]]));
}

function add(made: Map<string, Set<string>>, { database, backupId }: RecordedEvent): void {
  if (database === undefined || backupId === undefined) return;
  const ids = made.get(database) ?? new Set();
  made.set(database, ids.add(backupId));
}
