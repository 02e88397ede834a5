import { DAY_SECONDS } from "./time.ts";
import { formatBytes } from "./bytes.ts";

/** The languages of readers; English where nothing else is asked for. */
export const LANGUAGES = ["en", "fr"] as const;
export type Language = (typeof LANGUAGES)[number];

/** Between a number and its unit: never broken at the end of a line. */
export const NBSP = "\u00A0";

/** What pages, reports and mails write alike. */
export interface LocalNumbers {
  count(value: number): string;
  bytes(value: number): string;
  /** With two decimals, in whatever currency the prices are. */
  money(value: number): string;
}

/** For `Intl`: British dates, day before month. */
export function tagOf(language: Language): string {
  return { en: "en-GB", fr: "fr-FR" }[language];
}

/** The unit `d`. */
export function dayUnit(language: Language): string {
  return { en: "d", fr: "j" }[language];
}

export function localNumbers(language: Language): LocalNumbers {
  const tag = tagOf(language);
  const whole = new Intl.NumberFormat(tag, { maximumFractionDigits: 0 });
  const cents = new Intl.NumberFormat(tag, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  return {
    count: (value) => whole.format(value),
    bytes(value) {
      const text = formatBytes(value).replace(" ", NBSP);
      return language === "fr" ? text.replace(".", ",").replace(/B$/, "o") : text;
    },
    money: (value) => cents.format(value),
  };
}

/** A duration in at most so many units, the largest first: `3 h 12 min`. Days go with hours, and never with seconds. */
export function writeDuration(language: Language, seconds: number, mostUnits: number): string {
  const units = [
    { size: DAY_SECONDS, name: dayUnit(language) },
    { size: 3600, name: "h" },
    { size: 60, name: "min" },
    { size: 1, name: "s" },
  ];
  const first = units.findIndex(({ size }) => seconds >= size);
  if (first === -1) return `${seconds > 0 ? `<${NBSP}1` : "0"}${NBSP}s`;
  let rest = Math.round(seconds);
  const counts = units.slice(first, first + mostUnits).map(({ size, name }) => {
    const count = Math.floor(rest / size);
    rest -= count * size;
    return { count, name };
  });
  return counts
    .filter(({ count }) => count > 0)
    .map(({ count, name }) => `${count}${NBSP}${name}`)
    .join(NBSP);
}

/** To the minute, for readers whose zone is not known: `2026-11-23 02:14 UTC`, `23 nov. 2026 à 02:14 UTC`. */
export function writeUtc(language: Language, at: Date): string {
  const clock = at.toISOString().slice(11, 16);
  if (language === "en") return `${at.toISOString().slice(0, 10)} ${clock} UTC`;
  const day = { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" } as const;
  return `${at.toLocaleDateString(tagOf(language), day)} à ${clock}${NBSP}UTC`;
}
