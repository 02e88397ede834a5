import { formatDuration, writeUtc } from "@trivault/core";
import { MOST_NAMED, type SafeDatabase, type Safety } from "../facts.ts";
import { listIn } from "../list.ts";

export const utc = (at: Date) => writeUtc("en", at);

/** `2026-11-23 02:14 UTC (3h 5m ago)`. */
export function ago(at: Date, now: Date): string {
  return `${utc(at)} (${age((now.getTime() - at.getTime()) / 1000)} ago)`;
}

/** As the configuration writes it, to two units: `3h 5m`. */
export function age(seconds: number): string {
  return formatDuration(Math.max(1, Math.round(seconds)))
    .split(" ")
    .slice(0, 2)
    .join(" ");
}

export const list = listIn("en", (others) => `${others} more`);

export function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}

export const isAre = (n: number) => (n === 1 ? "is" : "are");
export const copyCount = (n: number) => count(n, "copy", "copies");

/** ` The reason: …`, or nothing. */
export const because = (reason: string) => (reason === "" ? "" : ` The reason: ${reason}`);

/** Which tiers hold a good copy of these databases, and how old the newest is there. */
export function stillSafe(safety: Safety): string {
  if (safety === null) return "What is still safe is not known: the site could not be looked at.";
  const lines = safety
    .slice(0, MOST_NAMED)
    .map((each) => `${safety.length > 1 ? `${each.database}: ` : ""}${copiesOf(each)}`);
  if (safety.length > MOST_NAMED) lines.push(`and ${safety.length - MOST_NAMED} more on the dashboard`);
  return `Still safe: ${lines.join("; ")}.`;
}

function copiesOf({ copies }: SafeDatabase): string {
  if (copies.length === 0) return "no tier is known to hold a good copy";
  return copies
    .map(({ tier, age: seconds, reachable }) => {
      const old = seconds === null ? "of unknown age" : `${age(seconds)} old`;
      return `${tier} (${old}${reachable ? "" : ", when it was last reached"})`;
    })
    .join(", ");
}
