import { describe, expect, jest, test } from "@jest/globals";
import {
  facts,
  formatAge,
  formatSeconds,
  formatTime,
  print,
  printJson,
  printJsonLine,
  printText,
  say,
  sayText,
  table,
} from "./output.ts";

describe("table", () => {
  test("aligns columns to their widest cell, numbers to the right, and leaves no blanks at line ends", () => {
    const rows = [
      ["shop", "7.6 MiB", "yes"],
      ["a-long-name", "980 B", ""],
    ];
    expect(table(["DATABASE", ">SIZE", "LOCAL"], rows)).toBe(
      ["DATABASE        SIZE  LOCAL", "shop         7.6 MiB  yes", "a-long-name    980 B"].join("\n"),
    );
  });

  test("is its headings alone where there is no row", () => {
    expect(table(["A", ">B"], [])).toBe("A  B");
  });

  test("9.C22 lets no name move the cursor or forge a line", () => {
    expect(table(["NAME"], [["shop\u001B[2J\nfake  yes\u202E"]])).toBe(
      String.raw`NAME${"\n"}shop\x1b[2J\nfake  yes\u202e`,
    );
  });
});

test("9.C22 whatever is printed does nothing to a terminal, and JSON stays what it was", () => {
  const hostile = "shop\u001B[2J\u009B31m\nfake\u202E";
  const written: string[] = [];
  const streams = [process.stdout, process.stderr].map((stream) =>
    jest.spyOn(stream, "write").mockImplementation((text) => written.push(String(text)) > 0),
  );
  try {
    print(hostile);
    printText(hostile);
    say(hostile);
    sayText(hostile);
    printJson({ hostile });
    printJsonLine({ hostile });
  } finally {
    for (const stream of streams) stream.mockRestore();
  }
  const shown = String.raw`shop\x1b[2J\x9b31m`;
  const several = `${shown}\nfake\\u202e\n`;
  expect(written.slice(0, 4)).toEqual([
    `${shown}\\nfake\\u202e\n`,
    several,
    several.replace("fake", "  fake"),
    several,
  ]);
  for (const json of written.slice(4)) {
    expect(json).not.toMatch(/[^\n\P{C}]/u);
    expect(JSON.parse(json)).toEqual({ hostile });
  }
  expect(written[5]?.split("\n")).toHaveLength(2);
});

test("facts stand in two columns", () => {
  expect(
    facts([
      ["Size", "3 MiB"],
      ["Encryption", "age"],
    ]),
  ).toBe("Size        3 MiB\nEncryption  age");
});

test.each<[number, string]>([
  [-5000, "0 s ago"],
  [59_999, "59 s ago"],
  [60_000, "1 min ago"],
  [3_599_999, "59 min ago"],
  [7_200_000, "2 h ago"],
  [86_400_000 * 3, "3 d ago"],
])("an age of %d ms is %s", (ms, text) => expect(formatAge(ms)).toBe(text));

test.each<[number, string]>([
  [0.04, "0.0 s"],
  [4.26, "4.3 s"],
  [60, "1 min 0 s"],
  [125.9, "2 min 5 s"],
  [3725, "1 h 2 min"],
])("%d seconds are %s", (seconds, text) => expect(formatSeconds(seconds)).toBe(text));

test("times are in UTC and say so", () => {
  expect(formatTime(new Date("2026-11-23T03:00:00.500+01:00"))).toBe("2026-11-23 02:00:00 UTC");
});
