import { DAY_MS } from "@trivault/core";
/** The calendar units that a policy counts, finest first. */
export const UNITS = ["hourly", "daily", "weekly", "monthly", "yearly"] as const;
export type Unit = (typeof UNITS)[number];

export interface Bucket {
  /** Distinguishes one bucket from all others of its unit. */
  readonly key: string;
  /** For people: `2026-11-20 14:00`, `2026-11-20`, `2026-W47`, `2026-11`, `2026`. */
  readonly label: string;
}

export type Buckets = Readonly<Record<Unit, Bucket>>;

type Calendar = (moment: Date) => Buckets;

const made = new Map<string, Calendar>();
/** Minutes that are remembered: of hourly backups of many databases several weeks. */
const MOST_REMEMBERED = 20_000;

/** Into which hour, day, ISO week, month and year of a time zone a moment falls. */
export function calendar(timeZone: string): Calendar {
  const known = made.get(timeZone) ?? byTheMinute(makeCalendar(timeZone));
  made.set(timeZone, known);
  return known;
}

/** Hundreds of databases are backed up in the same minutes, and no zone changes its clock within one. */
function byTheMinute(ask: Calendar): Calendar {
  const answers = new Map<number, Buckets>();
  return (moment) => {
    const minute = Math.floor(moment.getTime() / 60_000);
    const answer = answers.get(minute) ?? ask(new Date(minute * 60_000));
    if (answers.size >= MOST_REMEMBERED) answers.clear();
    answers.set(minute, answer);
    return answer;
  };
}

function makeCalendar(timeZone: string): Calendar {
  // Making a formatter takes a thousand times as long as using it.
  const formatter = new Intl.DateTimeFormat("en-GB", {
    timeZone,
    calendar: "iso8601",
    numberingSystem: "latn",
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
  });
  return (moment) => {
    const part = new Map(formatter.formatToParts(moment).map(({ type, value }) => [type, Number(value)]));
    const [year = 0, month = 0, day = 0] = [part.get("year"), part.get("month"), part.get("day")];
    const [hour = 0, minute = 0] = [part.get("hour"), part.get("minute")];
    const date = `${pad(year, 4)}-${pad(month)}-${pad(day)}`;
    const hourLabel = `${date} ${pad(hour)}:00`;
    // When clocks are set back an hour comes twice: only the distance to UTC distinguishes the two.
    const wall = Date.UTC(year, month - 1, day, hour, minute);
    const offset = Math.round((wall - moment.getTime()) / 60_000);
    return {
      hourly: { key: `${hourLabel} ${offset}`, label: hourLabel },
      daily: same(date),
      weekly: same(isoWeek(year, month, day)),
      monthly: same(date.slice(0, 7)),
      yearly: same(date.slice(0, 4)),
    };
  };
}

/** ISO 8601: a week begins on Monday and belongs to the year that its Thursday lies in. */
function isoWeek(year: number, month: number, day: number): string {
  const thursday = new Date(Date.UTC(year, month - 1, day));
  thursday.setUTCDate(day + 4 - (thursday.getUTCDay() || 7));
  const firstDay = Date.UTC(thursday.getUTCFullYear(), 0, 1);
  const week = Math.floor((thursday.getTime() - firstDay) / (7 * DAY_MS)) + 1;
  return `${pad(thursday.getUTCFullYear(), 4)}-W${pad(week)}`;
}

const same = (key: string): Bucket => ({ key, label: key });
const pad = (value: number, width = 2) => String(value).padStart(width, "0");
