import { describe, expect, test } from "@jest/globals";
import type { Language } from "@trivault/core";
import { ago, NOW, observe, testConfig } from "../test/observations.ts";
import { alertId } from "./alert-id.ts";
import { type DeskState, NOTHING, stateSchema } from "./desk-state.ts";
import { RULES } from "./find-signs.ts";
import { alertsOf, endedOf } from "./list-alerts.ts";
import { sign } from "./rules/rule.ts";
import { step } from "./step.ts";
import { TEXTS } from "./texts/all.ts";
import type { Sign } from "./types.ts";

const REPEAT = 14_400;
const config = testConfig();
const alerts = { ...config.monitoring.alerts, repeatSeconds: REPEAT };
const plain = (text: string) => text.replaceAll(/[\u00A0\u202F]/g, " ");
const failed = (member: string, more: Partial<Sign> = {}) =>
  sign({ rule: "run-failed", subject: "db1", member, severity: "warning", since: NOW, data: { code: "X" }, ...more });

describe("in French", () => {
  const french = { alerts: { ...alerts, language: "fr" }, silences: [] } as const;
  const newest = ({ outbox }: DeskState) => {
    const [message] = outbox.map((each) => each.message);
    if (!message) throw new Error("nothing is sent");
    return { ...message, title: plain(message.title), text: plain(message.text) };
  };
  const at = (seconds: number) => observe({ now: ago(-seconds), config });

  test("an alert is raised, repeated and resolved", () => {
    const raised = step(NOTHING, at(0), [failed("shop")], french);
    expect(newest(raised)).toMatchObject({
      language: "fr",
      title: "La sauvegarde de shop a échoué",
      text: expect.stringMatching(
        /^La sauvegarde de shop échoue depuis le 23 nov\. 2026 à 12:00 UTC[^]*\n\nÀ faire : Corrigez/,
      ),
      facts: [
        ["Bases", "shop"],
        ["Code", "X"],
        ["Alerte", alertId(failed("shop"))],
      ],
    });
    const repeated = step({ ...raised, outbox: [] }, at(REPEAT), [failed("shop")], french);
    expect(newest(repeated).text).toMatch(/^Cela dure depuis 4 h\. La sauvegarde de shop/);
    const resolved = step({ ...repeated, outbox: [] }, at(REPEAT + 60), [], french);
    expect(newest(resolved)).toMatchObject({
      severity: "resolved",
      title: "La sauvegarde de shop a échoué",
      text: "Cela a duré 4 h 1 min, du 23 nov. 2026 à 12:00 UTC au 23 nov. 2026 à 16:01 UTC. Rien à faire.",
    });
    expect(resolved.toRecord.map(({ details }) => details["title"])).toEqual([
      "The backup of shop failed",
      "The backup of shop failed",
    ]);
  });

  test("one that goes on under another name says so at its end", () => {
    const raised = step(NOTHING, at(0), [failed("a")], french);
    const moved = step({ ...raised, outbox: [] }, at(15), [failed("a", { subject: "db2" })], french);
    expect(newest(moved).text).toMatch(
      /Tout n’est pas rentré dans l’ordre : une autre alerte, .* concerne encore a\.$/,
    );
  });
});

describe("what is kept", () => {
  const en = { alerts, silences: [] };
  const kept = (state: DeskState) => stateSchema.parse(JSON.parse(JSON.stringify(state)));
  const raised = step(NOTHING, observe({ config }), [failed("shop")], en);
  const over = kept(step(raised, observe({ config, now: ago(-60) }), [], en));
  const titles = (state: DeskState, language: Language) => [
    ...alertsOf(state, [], language, NOW).map(({ title }) => title),
    ...endedOf(state, language).map(({ title }) => title),
  ];

  test("is read in every language, over a restart and after its end", () => {
    for (const state of [kept(raised), over]) {
      expect(titles(state, "en")).toEqual(["The backup of shop failed"]);
      expect(titles(state, "fr")).toEqual(["La sauvegarde de shop a échoué"]);
    }
    const [shown] = endedOf(over, "fr");
    expect(shown?.text).toMatch(/À faire/);
    expect(shown?.facts[0]).toEqual(["Bases", "shop"]);
    expect(shown).not.toHaveProperty("translated");
    expect(alertsOf(kept(raised), [], "fr", NOW)[0]).not.toHaveProperty("translated");
  });

  /** As a version that knew English alone wrote it. */
  const asBefore = (state: DeskState) =>
    JSON.parse(
      JSON.stringify(state, (key, value: unknown) => (key === "translated" || key === "language" ? undefined : value)),
    ) as unknown;

  test("by a version before is English in both, until it is looked at again", () => {
    const old = [raised, over].map((state) => stateSchema.parse(asBefore(state)));
    for (const state of old) {
      expect(JSON.stringify(asBefore(state))).not.toMatch(/sauvegarde/);
      expect(titles(state, "en")).toEqual(["The backup of shop failed"]);
      expect(titles(state, "fr")).toEqual(titles(state, "en"));
    }
    expect(old[0]?.outbox.map(({ message }) => message.language)).toEqual(["en"]);
    const looked = step(old[0] ?? NOTHING, observe({ config, now: ago(-15) }), [failed("shop")], en);
    expect(titles(looked, "fr")).toEqual(["La sauvegarde de shop a échoué"]);
    expect(looked.outbox).toHaveLength(1);
  });

  test("of signs by a version before, as texts, has words in both languages", () => {
    const data = {
      "tier-filling": { free: "3.7 GiB", share: "4.0 %", fullAt: ago(-3 * 86_400).toISOString(), left: "3d" },
      "clock-drift": { drift: "5m 3s", ahead: "behind" },
      "objective-missed": { database: "shop", tier: "cloud", late: "false", age: "2h 30m", objective: "2h" },
      "tier-over-budget": { bytes: "954 MiB", budget: "477 MiB", stops: "true" },
      "audit-broken": { where: "2026-11.jsonl, line 3: was changed", problems: "2" },
      expiring: { at: ago(-864_000).toISOString(), remedy: "Make a new one." },
    };
    const subjects: Partial<Record<string, string>> = { expiring: 'the API token "ci"' };
    const said = (language: Language) =>
      (Object.keys(data) as (keyof typeof data)[]).map((rule) => {
        const older = failed("cloud", { rule, subject: subjects[rule] ?? "cloud", data: data[rule] });
        const old = kept({ ...NOTHING, signs: [{ sign: older, firstSeen: NOW, missingSince: null }] });
        const signs = old.signs.map((each) => each.sign);
        return plain(RULES[rule].words(signs, observe({ config }), TEXTS[language]).what);
      });
    expect(said("en")).toEqual([
      expect.stringMatching(/3\.7 GiB are free \(4\.0 %\)\. .* full in 3d, on 2026-11-26 12:00 UTC\./),
      expect.stringMatching(/differs by 5m 3s/),
      expect.stringMatching(/The newest there is 2h 30m old; at most 2h is allowed\./),
      expect.stringMatching(/take 954 MiB, and 477 MiB are allowed, .* New copies are refused\./),
      expect.stringMatching(/or cut off\.$/),
      'The API token "ci" expires on 2026-12-03 12:00 UTC.',
    ]);
    expect(said("fr")).toEqual([
      expect.stringMatching(/Il reste 3,7 Gio \(4,0 %\)\. .* plein dans 3 j, le 26 nov\. 2026 à 12:00 UTC\./),
      expect.stringMatching(/a 5 min 3 s d’écart/),
      expect.stringMatching(/La plus récente y date d’il y a 2 h 30 min, pour 2 h au plus\./),
      expect.stringMatching(/occupent 954 Mio, pour un budget de 477 Mio, .* copies sont refusées\./),
      expect.stringMatching(/retirée ou coupée\. Constaté le/),
      "Le jeton d’API « ci » expire le 3 déc. 2026 à 12:00 UTC.",
    ]);
  });
});
