import { DAY_MS } from "@trivault/core";
import type { AuditLog, RecordedEvent } from "@trivault/audit";

const LOOK_BACK_MS = 7 * DAY_MS;

type History = Pick<AuditLog, "query">;

/** Whether the audit log shows the end of a slot's run: it succeeded, or failed and is not tried again. */
export async function isSlotRun(
  history: History,
  { database, slot }: { readonly database: string; readonly slot: string },
): Promise<boolean> {
  const filter = { from: new Date(slot), database, action: "backup.dump" } as const;
  for await (const event of history.query(filter, "newest-first")) if (endedSlot(event) === slot) return true;
  return false;
}

/**
 * The newest slots that were run of the databases of `slots`, as far as the audit log shows since the oldest of `slots` and some
 * days before `now`: enough to know whether they were run, and how much was missed before them.
 */
export async function lastSlots(
  history: History,
  slots: readonly { readonly database: string; readonly slot: Date }[],
  now: number,
): Promise<Map<string, Date>> {
  const last = new Map<string, Date>();
  const wanted = new Set(slots.map(({ database }) => database));
  if (wanted.size === 0) return last;
  const from = new Date(Math.min(now - LOOK_BACK_MS, ...slots.map(({ slot }) => slot.getTime())));
  for await (const event of history.query({ from, action: "backup.dump" }, "newest-first")) {
    const slot = endedSlot(event);
    const { database } = event;
    if (slot === null || database === undefined || !wanted.has(database)) continue;
    last.set(database, new Date(slot));
    wanted.delete(database);
    if (wanted.size === 0) break;
  }
  return last;
}

function endedSlot({ details, outcome }: RecordedEvent): string | null {
  const { slot, retried } = details ?? {};
  return typeof slot === "string" && (outcome === "ok" || retried !== true) ? slot : null;
}
