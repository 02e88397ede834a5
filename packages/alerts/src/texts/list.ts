import { type Language, tagOf } from "@trivault/core";
import { MOST_NAMED } from "./facts.ts";

/** `a`, `a and b`, `a, b and c`, each once; of many the first ones, and what `more` says of the others. */
export function listIn(language: Language, more: (count: number) => string) {
  const format = new Intl.ListFormat(tagOf(language), { type: "conjunction" });
  return (names: readonly string[], most = MOST_NAMED): string => {
    const all = [...new Set(names)];
    return format.format(all.length > most ? [...all.slice(0, most - 1), more(all.length - most + 1)] : all);
  };
}
