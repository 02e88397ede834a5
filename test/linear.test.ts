import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "@jest/globals";

const ROOT = path.dirname(import.meta.dirname);
const SOURCES = ["packages/*/src/**/*.ts", "apps/*/src/**/*.ts"];

/** What never sees a long text, and why. Everything else must be linear: what is foreign today is found out too late. */
const BOUNDED: Readonly<Record<string, string>> = {
  "packages/core/src/html.ts": "the fixed parts of our own templates",
  "packages/backup/src/adopt/name-database.ts": "a file's name, of 255 bytes",
  "packages/notify/src/ntfy.ts": "the path of a URL in the configuration",
  "packages/alerts/src/texts/en/site.ts": "a host and port that a certificate was asked of",
  "packages/alerts/src/texts/fr/site.ts": "a host and port that a certificate was asked of",
  "packages/notify/src/mailer.ts": "the sender in the configuration",
};

/** A regular expression in a source: after an operator, a bracket or a comma, so that it is no division. */
const LITERAL =
  /(?<=[=(,:[!&|?{};\n+]\s{0,40}|=>\s{1,9}|return\s{1,9})\/(?![*/])((?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+)\/([dgimsuvy]*)/g;

interface Found {
  readonly where: string;
  readonly expression: RegExp;
}

function expressions(): Found[] {
  const files = SOURCES.flatMap((pattern) => globSync(pattern, { cwd: ROOT })).filter(
    (file) => !/\.test\.ts$|testkit|testing/.test(file) && !(file in BOUNDED),
  );
  return files.flatMap((file) => {
    const source = readFileSync(path.join(ROOT, file), "utf8");
    return [...source.matchAll(LITERAL)]
      .filter(([, body = ""]) => /[+*]|\{\d+,\}/.test(body))
      .map((found) => {
        const line = source.slice(0, found.index).split("\n").length;
        return { where: `${file}:${line} ${found[0]}`, expression: new RegExp(found[1] ?? "", found[2]) };
      });
  });
}

const CHARACTERS = Array.from(" \n\ta0A_-.:/@=\"'\\;,<(~%#$?\uFFFD");

/** What it may be made to try again and again: each character, and the words that stand in it, repeated. */
function pumpsOf({ source }: RegExp): { pumps: string[]; words: string[] } {
  const plain = source.replaceAll(/\\[nrt]/g, (c) => ({ n: "\n", r: "\r", t: "\t" })[c[1] ?? ""] ?? "");
  const words = [...plain.matchAll(/(?:\\[^a-zA-Z]|[\w :@"'=./-])+/g)]
    .map(([word]) => word.replaceAll("\\", ""))
    .filter((word) => word !== "");
  const around = words.flatMap((word) => [word, ` ${word} `, `${word}x`]);
  return { pumps: [...new Set([...CHARACTERS, ...around, "a1", "a.", "1.", "a-", "\\a"])], words };
}

/** Processor time in milliseconds, which a busy machine does not lengthen. */
function cost(expression: RegExp, text: string): number {
  const before = process.cpuUsage();
  expression.lastIndex = 0;
  if (expression.global) text.replaceAll(expression, "");
  else expression.test(text);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

const LENGTH = 4_000;
/** At this length a linear expression takes microseconds, a quadratic one ten milliseconds. */
const SUSPICIOUS_MS = 4;

function isSlow(expression: RegExp, make: (length: number) => string): boolean {
  if (cost(expression, make(LENGTH)) < SUSPICIOUS_MS) return false;
  // Eight times the text: 64 times the time where it is quadratic; once may be the collector's.
  const [short, long] = [make(LENGTH), make(8 * LENGTH)];
  const least = (text: string) => Math.min(cost(expression, text), cost(expression, text));
  return least(long) > Math.max(40, 20 * least(short));
}

test("9.C12 the work of every regular expression grows with the text, and no faster", () => {
  const all = expressions();
  expect(all.length).toBeGreaterThan(80); // else they are no longer found
  const slow = all.filter(({ expression }) => {
    const { pumps, words } = pumpsOf(expression);
    return ["", "x", ...words.slice(0, 2)].some((before) =>
      pumps.some((pump) =>
        ["\u0001", "x "].some((after) =>
          isSlow(expression, (length) => before + pump.repeat(Math.ceil(length / pump.length)) + after),
        ),
      ),
    );
  });
  expect(slow.map(({ where }) => where)).toEqual([]);
});

test("9.C12 a quadratic expression is found by that", () => {
  const spaces = (length: number) => `x${" ".repeat(length)}x`;
  expect(isSlow(/\s+$/, spaces)).toBe(true);
  expect(isSlow(/\s+/, spaces)).toBe(false);
});
