import { describe, expect, test } from "@jest/globals";
import { formatFor } from "./format.ts";

const en = formatFor("en");
const fr = formatFor("fr");
const plain = (text: string) => text.replaceAll(/[\u00A0\u202F]/g, " ");
const NOW = new Date("2026-11-23T09:14:30Z");

describe("numbers", () => {
  test.each([
    [0, "0 s", "0 s"],
    [0.2, "< 1 s", "< 1 s"],
    [59.4, "59 s", "59 s"],
    [3600, "1 h", "1 h"],
    [3725, "1 h 2 min", "1 h 2 min"],
    [90_000, "1 d 1 h", "1 j 1 h"],
    [40 * 86_400, "40 d", "40 j"],
  ])("%d seconds", (seconds, english, french) => {
    expect([en.duration(seconds), fr.duration(seconds)].map(plain)).toEqual([english, french]);
  });

  test.each([
    [7 * 3600 + 1740, "7 h"],
    [30 * 3600, "30 h"],
    [3 * 86_400, "3 d"],
  ])("an age of %d seconds", (seconds, words) => {
    expect(plain(en.age(seconds))).toBe(words);
  });

  test("bytes and shares", () => {
    expect([en.bytes(1536), fr.bytes(1536), fr.bytes(12)].map(plain)).toEqual(["1.5 KiB", "1,5 Kio", "12 o"]);
    expect([en.percent(1), en.percent(0.99999), en.percent(0.5), fr.percent(0.987)].map(plain)).toEqual([
      "100%",
      "99.9%",
      "50%",
      "98,7 %",
    ]);
  });
});

describe("times", () => {
  test.each([
    ["2026-11-23T02:14:00Z", "smart", "02:14 UTC", "02:14 UTC"],
    ["2026-11-22T02:14:00Z", "smart", "22 Nov, 02:14 UTC", "22 nov., 02:14 UTC"],
    ["2025-11-22T02:14:00Z", "smart", "22 Nov 2025, 02:14 UTC", "22 nov. 2025, 02:14 UTC"],
    ["2026-11-22T02:14:00Z", "date", "22 Nov 2026", "22 nov. 2026"],
  ] as const)("%s as %s", (iso, kind, english, french) => {
    expect([en.time(iso, kind, NOW), fr.time(iso, kind, NOW)].map(plain)).toEqual([english, french]);
  });
});
