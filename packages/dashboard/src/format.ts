import {
  DAY_SECONDS,
  type Language,
  type LocalNumbers,
  localNumbers,
  NBSP,
  tagOf,
  writeDuration,
} from "@trivault/core";

export interface Format extends LocalNumbers {
  /** At most two units: `3 h 12 min`. */
  duration(seconds: number): string;
  /** The largest unit alone, where a rough idea is enough: `3 h`. */
  age(seconds: number): string;
  percent(share: number): string;
  /** In UTC, as it stands until a script turns it into the viewer's zone. */
  time(iso: string, kind: TimeKind, now: Date): string;
}

/** `smart`: the clock alone where it is today. Must be as in assets/app.js. */
export type TimeKind = "smart" | "full" | "date" | "clock";

/** Made once: Intl's formats take milliseconds to make. */
const made = new Map<Language, Format>();

export function formatFor(language: Language): Format {
  const known = made.get(language) ?? makeFormat(language);
  made.set(language, known);
  return known;
}

function makeFormat(language: Language): Format {
  const tag = tagOf(language);
  const tenth = new Intl.NumberFormat(tag, { maximumFractionDigits: 1 });
  const dates = dateFormats(tag);
  return {
    ...localNumbers(language),
    duration: (seconds) => writeDuration(language, seconds, 2),
    // 36 hours say more than one day.
    age: (seconds) =>
      seconds >= DAY_SECONDS && seconds < 2 * DAY_SECONDS
        ? `${Math.floor(seconds / 3600)}${NBSP}h`
        : writeDuration(language, seconds, 1),
    percent(share) {
      // Never up to a hundred that it is not.
      const percent = share < 1 ? Math.min(Math.floor(share * 1000) / 10, 99.9) : 100;
      return `${tenth.format(percent)}${language === "fr" ? NBSP : ""}%`;
    },
    time(iso, kind, now) {
      const date = new Date(iso);
      const today = date.toISOString().slice(0, 10) === now.toISOString().slice(0, 10);
      const sameYear = date.getUTCFullYear() === now.getUTCFullYear();
      if (kind === "date") return dates.date.format(date);
      if (kind === "clock" || (kind === "smart" && today)) return `${dates.clock.format(date)}${NBSP}UTC`;
      return `${(kind === "smart" && sameYear ? dates.short : dates.full).format(date)}${NBSP}UTC`;
    },
  };
}

function dateFormats(tag: string) {
  const clock = { hour: "2-digit", minute: "2-digit" } as const;
  const day = { day: "numeric", month: "short" } as const;
  const format = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(tag, { timeZone: "UTC", hourCycle: "h23", ...options });
  return {
    clock: format(clock),
    short: format({ ...day, ...clock }),
    full: format({ ...day, year: "numeric", ...clock }),
    date: format({ ...day, year: "numeric" }),
  };
}
