import type { AuditLog } from "@trivault/audit";
import { listCopies } from "@trivault/backup";
import { closeQueues, connectRedis, openQueues, siteJobKey } from "@trivault/queue";
import { maintainUntil } from "../support/site.ts";
import { expectedBackups } from "./oracle.ts";
import { isOf, type Slot } from "./slot.ts";
import type { World } from "./world.ts";

const DEADLINE_SECONDS = 300;

export interface Order {
  /** Empty if one run was made per slot, retention is exact and the tiers are equal. */
  readonly problems: readonly string[];
  /** Backups that the rules leave. */
  readonly kept: number;
  /** Copies without a manifest, left by killed workers: swept once they are a day old, which no simulation lives to see. */
  readonly remains: number;
}

/** Lets maintenance do what is left, by workers that nobody kills any more; what then still is wrong is wrong. */
export async function untilInOrder(world: World, log: AuditLog, slots: readonly Slot[]): Promise<Order> {
  const redis = connectRedis(world.redis.url, "fail-fast");
  const queues = openQueues(redis, siteJobKey(world.config.backupDir));
  try {
    let order = await inspect(world, log, slots);
    const isInOrder = async () => {
      order = await inspect(world, log, slots);
      return order.problems.length === 0;
    };
    // Time stands still, so that no new slot comes; maintenance comes with time, and so is asked for here.
    await maintainUntil({ queues, tiers: world.tiers }, isInOrder, { seconds: DEADLINE_SECONDS }).catch(
      () => undefined,
    );
    return order;
  } finally {
    await closeQueues(queues);
    redis.disconnect();
  }
}

async function inspect(world: World, log: AuditLog, slots: readonly Slot[]): Promise<Order> {
  const problems: string[] = [];
  const made = await madeBackups(log);
  const tiers = await Promise.all(
    world.tiers.map(async (tier) => ({ name: tier.name, copies: await listCopies(tier) })),
  );
  let kept = 0;
  for (const database of world.databases) {
    const ids = made.get(database) ?? [];
    if (ids.length !== slots.length) problems.push(`${database} has ${ids.length} backups of ${slots.length} slots`);
    problems.push(...slots.flatMap((slot) => oneRunIn(database, slot, ids)));
    const expected = expectedBackups(ids, world.rules);
    kept += expected.length;
    for (const { name, copies } of tiers) {
      const whole = copies.filter((copy) => copy.complete && copy.database === database);
      const found = whole.map(({ backupId }) => backupId);
      const missing = expected.filter((id) => !found.includes(id));
      const surplus = found.filter((id) => !expected.includes(id));
      if (missing.length > 0) problems.push(`${name} of ${database} lacks ${missing.join(" ")}`);
      if (surplus.length > 0) problems.push(`${name} of ${database} has ${surplus.join(" ")} too many`);
    }
  }
  const verdict = await log.verify();
  if (!verdict.ok) problems.push(`the audit log is broken: ${JSON.stringify(verdict.problems.slice(0, 3))}`);
  const remains = tiers.flatMap(({ copies }) => copies.filter(({ complete }) => !complete)).length;
  return { problems, kept, remains };
}

function oneRunIn(database: string, slot: Slot, ids: readonly string[]): string[] {
  const count = ids.filter((id) => isOf(slot, id)).length;
  return count === 1 ? [] : [`${database} has ${count} runs in the slot ${slot.from.toISOString()}`];
}

/** Every backup that was ever sealed, by database, from the audit log. */
async function madeBackups(log: AuditLog): Promise<Map<string, string[]>> {
  const made = new Map<string, Set<string>>();
  for await (const { database, backupId } of log.query({ action: "backup.encrypt", outcome: "ok" })) {
    if (database === undefined || backupId === undefined) continue;
    made.set(database, (made.get(database) ?? new Set()).add(backupId));
  }
  return new Map([...made].map(([database, ids]) => [database, [...ids]]));
}
