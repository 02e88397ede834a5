import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "@jest/globals";

const ROOT = path.dirname(import.meta.dirname);

/** What an operator may paste with rights of root, and what it would do to more than was meant. */
const DANGEROUS = [
  /sudo (?:chown|chmod|rm|mv)\b/,
  /\b(?:chown|chmod) (?:-\w*R|--recursive)/,
  /\brm -\w*[rf]/,
  // Whose a thing shall be is said in words, of one file; the rest are calls and imports.
  /\bchown\b(?!\(|,)/,
  /ssh-keyscan [^`]*>>? \$\{(?!shellWord\()/,
  // A database's name in a command, and a path, is one word of the shell.
  /--(?:database|target|file|output)[ =]\$\{(?!shellWord\()/,
  /(?:chmod \d+|mkdir(?: -p)?|install -d[^`$]*) \$\{(?!shellWord\()/,
];

test("9.C23 no advice changes what is there with rights of root, goes through a tree, or leaves a path unquoted", () => {
  const files = globSync(["packages/*/src/**/*.ts", "apps/*/src/**/*.ts"], { cwd: ROOT }).filter(
    (file) => !/\.test\.ts$|testkit|testing/.test(file),
  );
  const found = files.flatMap((file) =>
    readFileSync(path.join(ROOT, file), "utf8")
      .split("\n")
      .flatMap((line, i) => (DANGEROUS.some((each) => each.test(line)) ? [`${file}:${i + 1} ${line.trim()}`] : [])),
  );
  expect(found).toEqual([]);
});
