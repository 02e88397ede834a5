import { createRequire } from "node:module";
import type * as CronParser from "cron-parser";
import { DAY_MS, DAY_SECONDS, messageOf, TrivaultError } from "@trivault/core";

/** Loaded at its first use: not every command reads a schedule. */
const cronParser = () => createRequire(import.meta.url)("cron-parser") as typeof CronParser;

/** A cron line as a calendar of wall times (wall-clock.ts). */
export interface CronLine {
  /** The nearest wall time after (before) another one. */
  after(wall: number): number;
  before(wall: number): number;
  /** Whether it runs in each hour of its days: such a line follows real time where the clocks are put back. */
  readonly everyHour: boolean;
  /** Seconds, by the wall clocks, between two times that follow each other. */
  readonly shortestGap: number;
  longestGap(): number;
}

const lines = new Map<string, CronLine>();

/**
 * Five fields, or six where the first is seconds. cron-parser does the calendar, in UTC; what daylight saving makes of it is
 * decided in slots.ts. Throws CONFIG_INVALID where the line is wrong, or never comes
 * (the 30th of February).
 */
export function cronLine(cron: string): CronLine {
  let line = lines.get(cron);
  if (!line) {
    try {
      line = parse(cron);
      line.after(0);
    } catch (cause) {
      const message = `${JSON.stringify(cron)} is not a cron line that ever comes (${messageOf(cause)}); right is, for example, "30 2 * * *".`;
      throw new TrivaultError("CONFIG_INVALID", message, { permanent: true, cause });
    }
    lines.set(cron, line);
  }
  return line;
}

/** Whether `text` is a cron line, by which something happens sooner or later. */
export function isCron(text: string): boolean {
  try {
    cronLine(text);
    return true;
  } catch {
    return false;
  }
}

function parse(cron: string): CronLine {
  const atoms = cron.trim().split(/\s+/);
  // `H` is cron-parser's own: a random value, another one each time that the line is read.
  if (atoms.length < 5 || atoms.length > 6 || atoms.some((atom) => /h(?![a-z])/i.test(atom))) {
    throw new RangeError("it has neither five fields nor six, or has an H");
  }
  const { CronExpressionParser } = cronParser();
  const { fields } = CronExpressionParser.parse(cron, { tz: "UTC" });
  const from = (wall: number) => CronExpressionParser.parse(cron, { tz: "UTC", currentDate: new Date(wall) });
  const [hours, minutes, seconds] = [fields.hour, fields.minute, fields.second].map(({ values }) => values.map(Number));
  const times = timesOfDay(hours ?? [], minutes ?? [], seconds ?? []);
  const inDay = times.slice(1).map((time, index) => time - (times[index] ?? 0));
  const overNight = DAY_SECONDS - (times.at(-1) ?? 0) + (times[0] ?? 0);
  return {
    after: (wall) => from(wall).next().getTime(),
    before: (wall) => from(wall).prev().getTime(),
    everyHour: hours?.length === 24,
    shortestGap: inDay.reduce((a, b) => Math.min(a, b), overNight),
    longestGap: once(() => {
      const overDays = overNight + (longestPauseDays(atoms.slice(-3)) - 1) * DAY_SECONDS;
      return inDay.reduce((a, b) => Math.max(a, b), overDays);
    }),
  };
}

function timesOfDay(hours: readonly number[], minutes: readonly number[], seconds: readonly number[]): number[] {
  return hours.flatMap((hour) =>
    minutes.flatMap((minute) => seconds.map((second) => hour * 3600 + minute * 60 + second)),
  );
}

/** The longest way, in days, from one day that the last three fields name to the next. Nine years hold two leap years. */
function longestPauseDays(days: readonly string[]): number {
  if (days.every((field) => field === "*")) return 1;
  const end = Date.UTC(2033, 0, 1);
  const walk = cronParser().CronExpressionParser.parse(`0 0 ${days.join(" ")}`, {
    tz: "UTC",
    currentDate: new Date(Date.UTC(2024, 0, 1)),
  });
  let longest = 1;
  for (let last = walk.next().getTime(); last < end;) {
    const next = walk.next().getTime();
    longest = Math.max(longest, (next - last) / DAY_MS);
    last = next;
  }
  return longest;
}

/** Walking years takes long enough to be left until it is asked for. */
function once(compute: () => number): () => number {
  let value: number | null = null;
  return () => (value ??= compute());
}
