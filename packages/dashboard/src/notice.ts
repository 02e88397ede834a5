import type { Language } from "@trivault/core";
import { TEXTS } from "./view.ts";

/** The words for an action that went well; null for a name that stands for none. */
export function noticeText(language: Language, done: string): string | null {
  const texts: Readonly<Record<string, string>> = TEXTS[language].done;
  return Object.hasOwn(texts, done) ? (texts[done] ?? null) : null;
}
