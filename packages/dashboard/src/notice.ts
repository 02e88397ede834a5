import type { Language } from "@trivault/core";
import { TEXTS } from "./view.ts";

/** The words for an action that succeeded; null for an unknown name. */
export function noticeText(language: Language, done: string): string | null {
  const texts: Readonly<Record<string, string>> = TEXTS[language].done;
  return Object.hasOwn(texts, done) ? (texts[done] ?? null) : null;
}
