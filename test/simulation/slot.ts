import { timeOfBackupId } from "@trivault/core";

/** A moment of the schedule, and all time until the next: whatever is made then is of this slot. */
export interface Slot {
  readonly from: Date;
  readonly to: Date;
}

export function isOf({ from, to }: Slot, backupId: string): boolean {
  const at = timeOfBackupId(backupId);
  return at >= from && at < to;
}
