import { median } from "@trivault/core";
import { serverOf } from "@trivault/backup";
import type { Incident } from "../incidents.ts";
import { type Change, timesOf } from "../texts/facts.ts";
import type { Observation, Sign } from "../types.ts";
import { backupPage, begun, numberIn, pageOf, safetyOf, textIn, tierPage } from "../sign-facts.ts";
import { type Rule, sign } from "./rule.ts";

/** Databases of one server that fail for one of these have one cause. */
const SERVER_CODES = new Set(["DATABASE_UNREACHABLE", "DATABASE_REFUSED"]);

/** A run failed, and no attempt is left. It ends when the database has a new backup. */
export const runFailed: Rule = {
  clearSeconds: 0,
  signs: ({ incidents, config }) =>
    Object.values(incidents).flatMap((incident) => {
      const { kind, database, since } = incident;
      if (kind !== "run-failed" || database === null) return [];
      const code = incident.code ?? "UNKNOWN";
      const server = SERVER_CODES.has(code) ? serverOf(config, database) : null;
      const subject = server === null ? code : `${server} ${code}`;
      const data = dataOf(incident, { code, server: server ?? "" });
      return [sign({ rule: "run-failed", subject, member: database, severity: "warning", since, data })];
    }),
  words(signs, { overview, now }, texts) {
    const databases = signs.map(({ member }) => member);
    const [first] = signs;
    const text = texts.runFailed({
      databases,
      server: textIn(first, "server"),
      code: textIn(first, "code"),
      reason: textIn(first, "message"),
      safety: safetyOf(overview, databases),
      ...begun(signs, now),
    });
    return { ...text, link: pageOf(databases) };
  },
};

const LEAST_HISTORY = 5;
/** Below these, whatever a factor says is chance. */
const SMALL_BYTES = 1024 * 1024;
const FEW_ROWS = 1000;

/** The newest backup's size, and the rows in its tables, against the median of those before it. */
export const sizeUnusual: Rule = {
  clearSeconds: 0,
  signs: (observation) => (observation.overview?.databases ?? []).flatMap((row) => sizeSign(observation, row) ?? []),
  words(signs, { overview, now }, texts) {
    const [first] = signs;
    const sizes = signs.map((each) => {
      return { database: each.member, bytes: changeOf(each, "bytes"), rows: changeOf(each, "rows") };
    });
    const safety = safetyOf(
      overview,
      sizes.map(({ database }) => database),
    );
    return {
      ...texts.sizeUnusual({ sizes, safety, ...begun(signs, now) }),
      link: sizes.length === 1 ? backupPage(textIn(first, "backupId")) : "/",
    };
  },
};

type Row = NonNullable<Observation["overview"]>["databases"][number];

function sizeSign({ incidents, config }: Observation, { name, strip }: Row): Sign | null {
  const accepted = incidents[`size ${name}`]?.since.getTime() ?? 0;
  const runs = strip.filter(({ state, bytes }) => bytes !== null && (state === "ok" || state === "incomplete"));
  const newest = runs.at(-1);
  if (!newest || Date.parse(newest.startedAt) <= accepted) return null;
  const counted = runs.filter(({ startedAt }) => Date.parse(startedAt) > accepted);
  const { sizeFactor } = config.monitoring.alerts.thresholds;
  const limits = (least: number) => ({ least, factor: sizeFactor });
  const size = oddity(
    counted.map(({ bytes }) => bytes),
    limits(SMALL_BYTES),
  );
  const rows = oddity(
    counted.map((run) => run.rows),
    limits(FEW_ROWS),
  );
  if (size === null && rows === null) return null;
  return sign({
    rule: "size-unusual",
    subject: "sizes",
    member: name,
    severity: "warning",
    since: new Date(newest.startedAt),
    data: { backupId: newest.backupId, ...dataOfChange("bytes", size), ...dataOfChange("rows", rows) },
  });
}

function dataOfChange(name: string, change: Change | null): Record<string, number> {
  return change === null ? {} : { [name]: change.newest, [`${name}Usual`]: change.usual };
}

function changeOf(of: Sign, name: string): Change | null {
  const [newest, usual] = [numberIn(of, name), numberIn(of, `${name}Usual`)];
  return newest === null || usual === null ? null : { newest, usual };
}

/** Looks at values, oldest first; null where the last is as those before it, or too little is known. */
function oddity(
  values: readonly (number | null)[],
  { least, factor }: { readonly least: number; readonly factor: number },
): Change | null {
  const newest = values.at(-1) ?? null;
  const before = values.slice(0, -1).filter((value) => value !== null);
  if (newest === null || before.length < LEAST_HISTORY) return null;
  const usual = median(before) ?? 0;
  if (Math.max(usual, newest) < least) return null;
  const change = { newest, usual };
  return timesOf(change) > factor ? change : null;
}

/** Deletions that maintenance does not make by itself: on a large scale, or by rules that changed. */
export const retentionHeld: Rule = {
  clearSeconds: 0,
  signs: ({ incidents }) =>
    Object.values(incidents).flatMap((incident) => {
      const { kind, database, tier, since } = incident;
      if (kind !== "retention-held" || database === null || tier === null) return [];
      const common = { rule: "retention-held", severity: "warning", since } as const;
      return [
        sign({ ...common, subject: tier, member: database, data: dataOf(incident, { why: incident.code ?? "" }) }),
      ];
    }),
  words(signs, { now }, texts) {
    const [first] = signs;
    const databases = signs.map(({ member }) => member);
    const tier = first?.subject ?? "";
    const text = texts.retentionHeld({
      databases,
      tier,
      reason: textIn(first, "message"),
      rulesChanged: signs.every((each) => textIn(each, "why") === "rules"),
      ...begun(signs, now),
    });
    return { ...text, link: tierPage(tier) };
  },
};

function dataOf({ message, backupId }: Incident, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { message: message ?? "", backupId: backupId ?? "", ...more };
}
