import { DAY_MS } from "@trivault/core";
import { isIPv6 } from "node:net";

/** Failed logins of a user, from an address, or from a device. Times are milliseconds since 1970. */
export interface Attempts {
  readonly failures: number;
  readonly lastAt: number;
  /** 0: not at all. */
  readonly lockedUntil: number;
}

/** So many failures cost nothing; from then on each doubles the wait. */
export const FREE_FAILURES = 5;
const FIRST_WAIT_MS = 30_000;
const LONGEST_WAIT_MS = 15 * 60_000;
/** After a day without one, all failures are forgotten. */
export const FORGET_MS = DAY_MS;

export function countFailure(before: Attempts | undefined, now: number): Attempts {
  const failures = (before !== undefined && now - before.lastAt < FORGET_MS ? before.failures : 0) + 1;
  const doublings = failures - FREE_FAILURES;
  const wait = doublings < 0 ? 0 : Math.min(FIRST_WAIT_MS * 2 ** doublings, LONGEST_WAIT_MS);
  return { failures, lastAt: now, lockedUntil: wait === 0 ? 0 : now + wait };
}

/** An attempt that was counted before it was known to be right. */
export function takeBack({ failures, lastAt }: Attempts): Attempts | null {
  // Whoever waited out a lock may go on; the next failure locks again, and longer.
  return failures <= 1 ? null : { failures: failures - 1, lastAt, lockedUntil: 0 };
}

export function isLocked(attempts: Attempts | undefined, now: number): boolean {
  return attempts !== undefined && attempts.lockedUntil > now;
}

/** Whoever has one IPv6 address has 2^64 of them. */
export function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, "").replace(/%.*$/, "");
  if (!isIPv6(plain)) return plain;
  const [head = "", tail = ""] = plain.toLowerCase().split("::");
  const groups = (part: string) => part.split(":").filter((group) => group !== "");
  const before = groups(head);
  const after = groups(tail);
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => "0");
  return [...before, ...(plain.includes("::") ? zeros : []), ...after]
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ""))
    .join(":");
}
