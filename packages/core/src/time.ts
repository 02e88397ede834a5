/** Lengths of time that have a name. A day is 24 hours, whatever the clocks of the place do. */
export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
export const DAY_SECONDS = 86_400;

const UNITS: Readonly<Record<string, number>> = { w: 604_800, d: DAY_SECONDS, h: 3600, m: 60, s: 1 };

/** `"30d"`, `"12h"`, `"90m"`, `"1d 12h"`, `"0"` → seconds; null where it is no duration. */
export function parseDuration(text: string): number | null {
  const trimmed = text.trim();
  if (trimmed === "0") return 0;
  if (!/^\d{1,6}[wdhms](?:\s*\d{1,6}[wdhms])*$/.test(trimmed)) return null;
  let seconds = 0;
  for (const [, count, unit = ""] of trimmed.matchAll(/(\d{1,6})([wdhms])/g))
    seconds += Number(count) * (UNITS[unit] ?? 0);
  return seconds;
}

/** `129_600` → `"1d 12h"`. */
export function formatDuration(seconds: number): string {
  const parts: string[] = [];
  let rest = seconds;
  for (const unit of ["d", "h", "m", "s"]) {
    const size = UNITS[unit] ?? 1;
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count}${unit}`);
  }
  return parts.length === 0 ? "0" : parts.join(" ");
}
