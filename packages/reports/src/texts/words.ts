import type { Language } from "@trivault/core";
import { type Format, formatOf } from "../format.ts";
import { ENGLISH } from "./english.ts";
import { FRENCH } from "./french.ts";
import type { Texts } from "./texts.ts";

/** How a report speaks. */
export interface Words {
  readonly texts: Texts;
  readonly format: Format;
}

const TEXTS: Readonly<Record<Language, Texts>> = { en: ENGLISH, fr: FRENCH };

export function wordsOf(language: Language, timeZone: string): Words {
  const texts = TEXTS[language];
  return { texts, format: formatOf(language, timeZone, texts.more) };
}
