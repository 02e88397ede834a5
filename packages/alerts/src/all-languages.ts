import { type Language, LANGUAGES } from "@trivault/core";
import type { SaidWords } from "./desk-state.ts";
import { TEXTS } from "./texts/all.ts";
import type { Texts } from "./texts/texts.ts";
import type { Words } from "./types.ts";

type Said = Pick<SaidWords, "title" | "text" | "facts">;

/** What is kept of an alert: whoever reads it later, when nothing of it is known any more, may speak any language. */
export function sayInAll(wordsIn: (texts: Texts) => Words): SaidWords {
  const english = wordsIn(TEXTS.en);
  const translated: Partial<Record<Language, Said>> = {};
  for (const language of LANGUAGES) {
    if (language !== "en") translated[language] = said(wordsIn(TEXTS[language]), TEXTS[language]);
  }
  return { ...said(english, TEXTS.en), link: english.link, translated };
}

/** A version that knew English alone kept nothing else. */
export function saidIn(words: SaidWords, language: Language): Said {
  const { title, text, facts } = words.translated[language] ?? words;
  return { title, text, facts };
}

function said(words: Words, texts: Texts): Said {
  return { title: words.title, text: texts.text(words), facts: words.facts.map(([name, value]) => [name, value]) };
}
