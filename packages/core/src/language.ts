import { formatBytes } from "./bytes.ts";

/** Of people who read; English where nothing else is asked for. */
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
