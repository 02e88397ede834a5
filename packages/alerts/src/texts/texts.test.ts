import { describe, expect, test } from "@jest/globals";
import { ALERT_RULES, type Language, LANGUAGES } from "@trivault/core";
import { ago, NOW } from "../../test/observations.ts";
import { SITUATIONS } from "../../test/situations.ts";
import { findSigns, RULES } from "../find-signs.ts";
import { TEXTS } from "./all.ts";

/** The words of each alert that a rule raises in a situation, in one line each. */
function linesOf(rule: (typeof ALERT_RULES)[number], language: Language): string[] {
  return SITUATIONS[rule].map((observation) => {
    const signs = findSigns(observation).filter((each) => each.rule === rule && !each.suppressed);
    expect(signs.length).toBeGreaterThan(0);
    const words = RULES[rule].words(signs, observation, TEXTS[language]);
    return [words.title, TEXTS[language].text(words), ...words.facts.flat()].join("\n");
  });
}

const plain = (text: string) => text.replaceAll(/[\u00A0\u202F]/g, " ");
const named = (line: string, what: RegExp) => [...new Set(line.match(what))].toSorted();
/** What a program said, commands, and names of settings are in no language. */
const ownWords = (line: string) => line.replaceAll(/«[^»]*»|`[^`]*`|\b[\w./:-]*[._/:-][\w./:-]*\w/g, "·");

const QUOTED = /«\u00A0[^»]*\u00A0»/g;

const ENGLISH =
  /\b(?:the|is|are|was|were|has|have|of|and|or|not|no|since|ago|there|from|with|what|which|by|for|in|it|its|that|this|on it|shall|cannot|see|make|find|once|old|more|database|databases|tier|backup|backups|copy|worker serves|record|channel|free|full|waiting|held|host|ahead|behind)\b/i;
const FRENCH = /[àâçéèêëîïôûùœ«»]|\b(?:le|la|les|des|du|une|est|sont|depuis|sur|et|pas)\b/i;

describe.each(ALERT_RULES)("%s", (rule) => {
  test.each(LANGUAGES)("is complete in %s", (language) => {
    for (const line of linesOf(rule, language)) {
      expect(line).not.toMatch(/undefined|null|NaN|Invalid|Infinity|\[object/);
      expect(line).not.toMatch(/ {2}|\n\n\n|^\n|\n$|\(\)|«\u00A0»|\s\.|\.\./);
    }
  });

  test("is in one language at a time", () => {
    for (const line of linesOf(rule, "fr")) expect(ownWords(line)).not.toMatch(ENGLISH);
    for (const line of linesOf(rule, "en")) expect(ownWords(line)).not.toMatch(FRENCH);
  });

  test("names the same things and commands in both", () => {
    const [english, french] = LANGUAGES.map((language) => linesOf(rule, language));
    for (const [index, line] of (english ?? []).entries()) {
      const other = french?.[index] ?? "";
      for (const what of [
        /`[^`]*`/g,
        /\b(?:shop|billing|cloud|remote|local|ops|ci|w1)\b/g,
        /\S+:\d{3,4}\b|\b2026\w+z-\w+/g,
      ]) {
        expect(named(other, what)).toEqual(named(line, what));
      }
    }
  });

  test("is set as French is", () => {
    for (const line of linesOf(rule, "fr")) {
      expect(line.replaceAll(QUOTED, "«\u00A0·\u00A0»")).not.toMatch(/ [:;?!»]|« |[\p{L})»][:;?!](?:\s|$)|'|"/u);
    }
  });
});

describe("plurals", () => {
  const begun = { since: ago(300), now: NOW };
  const common = { ...begun, tier: "cloud", databases: ["shop"], safety: [] };

  test.each([
    ["en", 1, "1 copy on cloud is late", "1 copy vanished from cloud", "1 job waits."],
    ["en", 2, "2 copies on cloud are late", "2 copies vanished from cloud", "2 jobs wait."],
    ["en", 0, "0 copies on cloud are late", "0 copies vanished from cloud", "0 jobs wait."],
    ["fr", 0, "0 copie en retard sur cloud", "0 copie a disparu de cloud", "0 tâche attend."],
    ["fr", 1, "1 copie en retard sur cloud", "1 copie a disparu de cloud", "1 tâche attend."],
    ["fr", 2, "2 copies en retard sur cloud", "2 copies ont disparu de cloud", "2 tâches attendent."],
  ] as const)("in %s of %d", (language, count, lag, shrunk, waiting) => {
    const texts = TEXTS[language];
    expect(texts.copyLag({ ...common, lacking: count }).title).toBe(lag);
    expect(texts.tierShrunk({ ...common, copies: count }).title).toBe(shrunk);
    expect(texts.noWorker({ ...begun, queues: ["dump"], all: false, waiting: count }).what).toContain(waiting);
  });

  test.each([
    [
      1,
      "1 sauvegarde devrait être sur cloud et n’y est pas",
      "1 copie de shop sur cloud a disparu ou n’est plus entière",
    ],
    [
      2,
      "2 sauvegardes devraient être sur cloud et n’y sont pas",
      "2 copies de shop sur cloud ont disparu ou ne sont plus",
    ],
  ])("what agrees with them in French: %d", (count, lag, shrunk) => {
    expect(TEXTS.fr.copyLag({ ...common, lacking: count }).what).toContain(lag);
    expect(TEXTS.fr.tierShrunk({ ...common, copies: count }).what).toContain(shrunk);
  });
});

test("what is still safe", () => {
  const safety = [
    { database: "shop", copies: [{ tier: "local", age: 11_100, reachable: true }] },
    { database: "billing", copies: [] },
    { database: "third", copies: [{ tier: "cloud", age: null, reachable: false }] },
  ];
  const facts = { since: ago(300), now: NOW, databases: ["shop"], tier: "cloud", lacking: 1 };
  const safe = (language: Language) => plain(TEXTS[language].copyLag({ ...facts, safety }).safe ?? "");
  expect(safe("en")).toBe(
    "Still safe: shop: local (3h 5m old); billing: no tier is known to hold a good copy; third: cloud (of unknown age, when it was last reached).",
  );
  expect(safe("fr")).toBe(
    "Toujours en sécurité : shop : local (copie d’il y a 3 h 5 min) ; billing : aucun niveau n’a de bonne copie connue ; third : cloud (copie d’âge inconnu, au dernier contact).",
  );
  expect(TEXTS.fr.copyLag({ ...facts, safety: null }).safe).toMatch(/^On ne sait pas ce qui reste en sécurité/);
});
