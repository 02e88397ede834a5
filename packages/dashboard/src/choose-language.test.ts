import { expect, test } from "@jest/globals";
import { chooseLanguage } from "./choose-language.ts";

test.each([
  [undefined, "en"],
  ["", "en"],
  ["fr", "fr"],
  ["fr-CA,fr;q=0.9,en;q=0.8", "fr"],
  ["en-US,en;q=0.9,fr;q=0.8", "en"],
  ["de-DE,de;q=0.9,fr;q=0.5,en;q=0.3", "fr"],
  ["de, *;q=0.1", "en"],
  ["fr;q=0, en", "en"],
  [";;,q=,fr ; q=0.2", "fr"],
])("of %j it takes %s", (header, language) => {
  expect(chooseLanguage(header)).toBe(language);
});
