import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "@jest/globals";

/**
 * Texts, comments and names use the field's words in plain order, the subject first: things are reported, logged, recorded,
 * shown or sent, and never "told"; the audit log has one name; no sentence begins with "Of".
 */
const root = path.resolve(import.meta.dirname, "..");
const FILES = globSync(
  [
    "{apps,packages}/**/*.{ts,js}",
    "{bench,deploy,docs,scripts,test}/**/*.{ts,js,mjs,md,yml,sh}",
    "*.{md,yml,yaml,mjs,json}",
  ],
  { cwd: root, exclude: (name) => name === "node_modules" || name.endsWith(path.basename(import.meta.filename)) },
);

/** Each with what to write instead. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/\b(?:un)?(?:tell|tells|told|telling)\b/i, "report, log, record, show, send, know"],
  [
    /(?:\b|_)(?:[Tt]ell|[Tt]ells|[Tt]old)[A-Z]|[a-z](?:Tell|Tells|Told)\b|TOLD/,
    "report, log, record, show, send, know",
  ],
  [/\b(?:the|whole) (?:site's )?record\b(?! of)/i, "the audit log"],
  [/\b(?:ended|all is|is not|site is) well\b/i, "succeeded, healthy"],
  [/\bsmall question\b|\bgoes soon\b|\blook here\b|\blies where\b|\bone of a kind\b/i, "plain words"],
  [/["`](?:Of|That of|Those of) [a-z`]/, "the subject first"],
];

/** Names that are kept in files and answers, which do not change: when an alert was last sent, in its state and in the API. */
const TOLD_AT = /\btoldAt\b/g;
const TOLD = /^packages\/alerts\/src\/(?:desk-state|list-alerts|messages|step)\.ts: .*\b_?told\b|: +told: null,$/;

test("texts, comments and names are in plain English", () => {
  const found = FILES.flatMap((file) =>
    readFileSync(path.join(root, file), "utf8")
      .split("\n")
      .flatMap((line, index) => {
        const text = line.replaceAll(TOLD_AT, "");
        if (TOLD.test(`${file}: ${text}`)) return [];
        const wrong = WORDS.find(([word]) => word.test(text));
        return wrong === undefined ? [] : [`${file}:${index + 1}: ${wrong[1]}: ${line.trim()}`];
      }),
  );
  expect(FILES.length).toBeGreaterThan(1000);
  expect(found).toEqual([]);
});
