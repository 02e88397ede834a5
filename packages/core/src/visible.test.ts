import { describe, expect, test } from "@jest/globals";
import { createLogger } from "./log.ts";
import { visibleJson, visibleLine, visibleStrings, visibleText } from "./visible.ts";

const HOSTILE = "shop\u001B[2J\u009B31m\r\nfake\tyes\u202E\u2066\u2028\u007F\uD800";
const SHOWN = String.raw`shop\x1b[2J\x9b31m\r\nfake\tyes\u202e\u2066\u2028\x7f\ud800`;

describe("9.C22 text of strangers is shown, and does nothing", () => {
  test("in a line, and in several", () => {
    expect(visibleLine(HOSTILE)).toBe(SHOWN);
    expect(visibleText("a\u001B[2J\n\tb\r")).toBe("a\\x1b[2J\n\tb\\r");
    expect(visibleLine("Müller 数据库 👩‍👩‍👧 naïve")).toBe("Müller 数据库 👩‍👩‍👧 naïve");
  });

  test("in JSON, whose value stays", () => {
    const json = visibleJson(JSON.stringify({ HOSTILE }, null, 2));
    expect(json).not.toMatch(/[^\P{C}\n]/u);
    expect(JSON.parse(json)).toEqual({ HOSTILE });
  });

  test("in every string of a value", () => {
    const at = new Date(0);
    expect(visibleStrings({ a: [{ b: HOSTILE, c: 1, d: null, at }] })).toEqual({
      a: [{ b: SHOWN, c: 1, d: null, at }],
    });
  });

  test("in the log", () => {
    const lines: string[] = [];
    createLogger("info", "test", { write: (line) => void lines.push(line) }).info({ name: HOSTILE }, HOSTILE);
    expect(lines.join("")).not.toMatch(/[^\P{C}\n]/u);
    expect(JSON.parse(lines.join(""))).toMatchObject({ name: HOSTILE, msg: HOSTILE });
  });
});
