import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { isBackupId, newBackupId, timeOfBackupId } from "./ids.ts";

const seconds = fc.date({
  min: new Date("0000-01-01T00:00:00Z"),
  max: new Date("9999-12-31T23:59:59Z"),
  noInvalidDate: true,
});

describe("backup ids", () => {
  test("have the documented form", () => {
    const id = newBackupId(new Date("2026-11-23T02:00:00.999Z"));
    expect(id).toMatch(/^20261123t020000z-[0-9a-hjkmnp-tv-z]{8}$/);
    expect(isBackupId(id)).toBe(true);
    expect(timeOfBackupId(id)).toEqual(new Date("2026-11-23T02:00:00Z"));
  });

  test("keep their time to the second, and sort by it", () => {
    fc.assert(
      fc.property(seconds, seconds, (a, b) => {
        const [first, second] = [newBackupId(a), newBackupId(b)];
        expect(timeOfBackupId(first).getTime()).toBe(Math.floor(a.getTime() / 1000) * 1000);
        const difference = timeOfBackupId(first).getTime() - timeOfBackupId(second).getTime();
        if (difference !== 0) expect(first < second).toBe(difference < 0);
      }),
    );
  });

  test("differ within one second", () => {
    const now = new Date();
    expect(new Set(Array.from({ length: 5000 }, () => newBackupId(now))).size).toBe(5000);
  });

  test("use every character of the alphabet, and no other", () => {
    const characters = new Set(Array.from({ length: 500 }, () => newBackupId().slice(17)).join(""));
    expect([...characters].toSorted().join("")).toBe("0123456789abcdefghjkmnpqrstvwxyz");
  });

  test.each([
    "",
    "20261123t020000z",
    "20261123t020000z-7f3k9xq",
    "20261123t020000z-7f3k9xq22",
    "20261123T020000Z-7f3k9xq2",
    "20261123t020000z-7f3k9xqi",
    "20261123t020000z-7f3k9xqu",
    "20261123t020000z-7F3K9XQ2",
    "20261123t020000z-7f3k9xq2\n",
    " 20261123t020000z-7f3k9xq2",
    "../0261123t020000z-7f3k9xq2",
    "20261323t020000z-7f3k9xq2",
    "20260231t020000z-7f3k9xq2",
    "20250229t020000z-7f3k9xq2",
    "20261123t240000z-7f3k9xq2",
    "20261123t006000z-7f3k9xq2",
    "20261123t000060z-7f3k9xq2",
    "20260000t000000z-7f3k9xq2",
  ])("refuses %j", (text) => {
    expect(isBackupId(text)).toBe(false);
    expect(() => timeOfBackupId(text)).toThrow(RangeError);
  });
});
