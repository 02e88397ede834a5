import type { Locale } from "./locale.ts";
import { TEXTS } from "./view.ts";

/** The words for an action that went well; null for a name that stands for none. */
export function noticeText(locale: Locale, done: string): string | null {
  const texts: Readonly<Record<string, string>> = TEXTS[locale].done;
  return Object.hasOwn(texts, done) ? (texts[done] ?? null) : null;
}
