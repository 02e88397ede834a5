import type { AuditEvent } from "@trivault/audit";
import { nameOf } from "./inventory-cache.ts";
import type { Inventory, InventoryCopy } from "./inventory.ts";

/**
 * What is missing that was complete at the last look, and what has lost bytes: nobody of us did it. One event for each
 * database, however many copies, since whoever wipes a tier wipes thousands.
 */
export function lossesSince(before: Inventory | null, now: Inventory): AuditEvent[] {
  const present = new Map(now.copies.map((copy) => [nameOf(copy), copy]));
  const were = before?.copies.filter(({ state }) => state === "complete") ?? [];
  const stateNow = (copy: InventoryCopy) => present.get(nameOf(copy))?.state ?? "partial";
  return [
    ...eventsOf(
      "tier.vanished",
      now.tier,
      were.filter((copy) => stateNow(copy) === "partial"),
    ),
    ...eventsOf(
      "tier.shrunk",
      now.tier,
      were.filter((copy) => ["damaged", "untrusted"].includes(stateNow(copy))),
    ),
  ];
}

function eventsOf(
  action: "tier.vanished" | "tier.shrunk",
  tier: string,
  copies: readonly InventoryCopy[],
): AuditEvent[] {
  return [...Map.groupBy(copies, ({ database }) => database)].map(([database, lost]) => {
    const ids = lost.map(({ backupId }) => backupId).toSorted();
    const newest = ids.at(-1);
    return {
      action,
      outcome: "failed",
      actor: "maintenance",
      tier,
      database,
      backupId: newest,
      bytes: lost.reduce((sum, { bytes }) => sum + bytes, 0),
      details: { copies: lost.length, oldest: ids[0] ?? null, newest: newest ?? null },
    };
  });
}
