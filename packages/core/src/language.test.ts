import { expect, test } from "@jest/globals";
import { writeDuration, writeUtc } from "./language.ts";

const plain = (text: string) => text.replaceAll(/[\u00A0\u202F]/g, " ");

test.each([
  [0, "0 s", "0 s"],
  [0.2, "< 1 s", "< 1 s"],
  [700, "11 min 40 s", "11 min 40 s"],
  [3600, "1 h", "1 h"],
  [2 * 86_400 + 3 * 3600 + 59, "2 d 3 h", "2 j 3 h"],
])("%s seconds", (seconds, english, french) => {
  expect([writeDuration("en", seconds, 2), writeDuration("fr", seconds, 2)].map(plain)).toEqual([english, french]);
});

test("a time is written in UTC", () => {
  const at = new Date("2026-11-03T02:14:59Z");
  expect(writeUtc("en", at)).toBe("2026-11-03 02:14 UTC");
  expect(plain(writeUtc("fr", at))).toBe("3 nov. 2026 à 02:14 UTC");
});
