import { dayUnit, type Language, type LocalNumbers, localNumbers, NBSP, tagOf } from "@trivault/core";

/** Numbers and times as a reader of a language writes them, by the clocks of one zone. */
export interface Format extends LocalNumbers {
  /** `+1.5 MiB`, `−300 KiB`. */
  change(bytes: number): string;
  /** At most two units: `2 h 5 min`, `4.3 s`. */
  duration(seconds: number): string;
  /** Several in one unit, that of the longest: `66 / 79 / 81 s`; each is marked by `mark`. */
  durations(seconds: readonly number[], mark: (seconds: number) => string): string;
  /** Three decimals at most, and never up to what it does not reach. */
  percent(share: number): string;
  /** `24 Nov, 02:14`. */
  time(time: string): string;
  /** `24 November 2026, 02:14`. */
  longTime(time: string): string;
  /** `Tuesday 24 November 2026`. */
  day(time: string): string;
  /** `24 Nov 2026`. */
  monthDay(time: string): string;
  /** Day and month of a date: `24 Nov`. */
  shortDay(day: string): string;
  /** `a, b and c`, or `a, b and 7 more`. */
  names(names: readonly string[], most?: number): string;
}

export function formatOf(language: Language, timeZone: string, more: (count: number) => string): Format {
  const tag = tagOf(language);
  const local = localNumbers(language);
  const dates = (options: Intl.DateTimeFormatOptions, zone = timeZone) => {
    const formatter = new Intl.DateTimeFormat(tag, { timeZone: zone, hourCycle: "h23", ...options });
    return (text: string) => formatter.format(new Date(text));
  };
  const numbers = (digits: number, least = 0) =>
    new Intl.NumberFormat(tag, { maximumFractionDigits: digits, minimumFractionDigits: least });
  const [whole, tenth, thousandth] = [numbers(0), numbers(1, 1), numbers(3)];
  const clock = { hour: "2-digit", minute: "2-digit" } as const;
  const time = dates({ day: "numeric", month: "short", ...clock });
  const longTime = dates({ day: "numeric", month: "long", year: "numeric", ...clock });
  const longDay = dates({ weekday: "long", day: "numeric", month: "long", year: "numeric" });
  const shortDay = dates({ day: "numeric", month: "short" }, "UTC");
  const list = new Intl.ListFormat(tag, { type: "conjunction" });
  const two = (large: number, unit: string, small: number, smallUnit: string) =>
    small === 0 ? `${large}${NBSP}${unit}` : `${large}${NBSP}${unit}${NBSP}${small}${NBSP}${smallUnit}`;
  return {
    ...local,
    change: (value) => `${value < 0 ? "−" : "+"}${local.bytes(Math.abs(value))}`,
    duration(seconds) {
      if (seconds === 0) return `0${NBSP}s`;
      if (seconds < 59.95) return `${tenth.format(seconds)}${NBSP}s`;
      const all = Math.round(seconds);
      if (all < 3600) return two(Math.floor(all / 60), "min", all % 60, "s");
      const minutes = Math.round(all / 60);
      if (minutes < 1440) return two(Math.floor(minutes / 60), "h", minutes % 60, "min");
      const hours = Math.round(minutes / 60);
      return two(Math.floor(hours / 24), dayUnit(language), hours % 24, "h");
    },
    durations(seconds, mark) {
      const longest = Math.max(...seconds);
      const [unit, size, write] =
        longest < 120
          ? (["s", 1, whole] as const)
          : longest < 7200
            ? (["min", 60, tenth] as const)
            : (["h", 3600, tenth] as const);
      return `${seconds.map((each) => `${write.format(each / size)}${mark(each)}`).join(" / ")}${NBSP}${unit}`;
    },
    percent(share) {
      const shown = share >= 1 ? 100 : Math.floor(share * 100_000 + 1e-6) / 1000;
      return `${thousandth.format(shown)}${NBSP}%`;
    },
    time,
    longTime,
    day: longDay,
    monthDay: dates({ day: "numeric", month: "short", year: "numeric" }),
    shortDay: (text) => shortDay(`${text}T12:00:00Z`),
    names(names, most = 5) {
      const shown = names.length <= most + 1 ? [...names] : [...names.slice(0, most), more(names.length - most)];
      return list.format(shown);
    },
  };
}
