import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { formatBytes, parseBytes } from "./bytes.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

describe("formatBytes", () => {
  test.each([
    [0, "0 B"],
    [1, "1 B"],
    [1023, "1023 B"],
    [KIB, "1.0 KiB"],
    [1536, "1.5 KiB"],
    [100 * KIB, "100 KiB"],
    [1023 * KIB, "1023 KiB"],
    [MIB - 1, "1.0 MiB"],
    [16 * MIB, "16.0 MiB"],
    [1.5 * 1024 ** 5, "1.5 PiB"],
    [5000 * 1024 ** 5, "5000 PiB"],
  ])("%d is %s", (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  test("never shows more than 1023 of a unit that has a larger one, and is right within 5 %", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 50 - 1 }), (bytes) => {
        const text = formatBytes(bytes);
        expect(Number.parseFloat(text)).toBeLessThanOrEqual(1023);
        expect(Math.abs((parseBytes(text) ?? 0) - bytes) / bytes).toBeLessThan(0.05);
      }),
    );
  });
});

describe("parseBytes", () => {
  test.each([
    ["0", 0],
    ["1048576", MIB],
    ["1B", 1],
    ["16MiB", 16 * MIB],
    ["16MB", 16 * MIB],
    ["16 M", 16 * MIB],
    [" 64kib ", 64 * KIB],
    ["1.5K", 1536],
    ["2T", 2 * 1024 ** 4],
  ])("reads %j", (text, bytes) => {
    expect(parseBytes(text)).toBe(bytes);
  });

  test.each(["", " ", "M", "-1", "+1", "1e3", "0x10", "1.", ".5", "1,5K", "16 MiBB", "16XB", "16M 1K", "NaN"])(
    "refuses %j",
    (text) => {
      expect(parseBytes(text)).toBeNull();
    },
  );
});
