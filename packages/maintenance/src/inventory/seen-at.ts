import { DAY_MS, timeOfBackupId } from "@trivault/core";
import type { HeldCopy } from "./holdings.ts";
import type { InventoryCopy } from "./inventory.ts";

/**
 * Ages count from what was seen: a backup that was made while a clock was ahead looks new until that time has come, though none
 * may have been made since. So of one that is dated in the future it is kept when it was first seen.
 */

/** By a clock that was reset, to 1970 say, everything is far in the future: that says nothing of a backup. */
const FAR_MS = 400 * DAY_MS;

/** The copy as a scan has found it, given how the scan before did. A time that is still to come was seen by a wrong clock. */
export function withSeenAt(copy: InventoryCopy, before: InventoryCopy | undefined, now: Date): InventoryCopy {
  const ahead = timeOfBackupId(copy.backupId).getTime() - now.getTime();
  // The tier's own clock dated it as well; that holds where what was seen before is lost.
  const seenAt = before?.seenAt ?? (ahead > 0 && ahead < FAR_MS ? copy.newestAt : undefined);
  if (seenAt === undefined) return copy;
  return { ...copy, seenAt: seenAt < now ? seenAt : now };
}

/** Since when the data in it can be no newer, in ms since 1970. */
export function effectiveTime({ backupId, seenAt }: Pick<HeldCopy, "backupId" | "seenAt">): number {
  const dated = timeOfBackupId(backupId).getTime();
  return seenAt === undefined ? dated : Math.min(dated, new Date(seenAt).getTime());
}
