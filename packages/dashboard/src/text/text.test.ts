import { expect, test } from "@jest/globals";
import { en } from "./en.ts";
import { fr } from "./fr.ts";

function keysOf(texts: object, above = ""): string[] {
  return Object.entries(texts).flatMap(([key, value]: [string, unknown]) =>
    typeof value === "object" && value !== null
      ? keysOf(value, `${above}${key}.`)
      : [`${above}${key} (${typeof value})`],
  );
}

test("both languages have the same keys", () => {
  expect(keysOf(fr).toSorted()).toEqual(keysOf(en).toSorted());
});

test("no text is empty", () => {
  expect([...JSON.stringify(en).matchAll(/"":|:""/g), ...JSON.stringify(fr).matchAll(/:""/g)]).toEqual([]);
});
