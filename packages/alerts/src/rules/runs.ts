import { serverOf } from "@trivault/backup";
import { formatBytes } from "@trivault/core";
import type { Incident } from "../incidents.ts";
import type { Observation, Sign } from "../types.ts";
import { age, backupPage, count, databasePage, datum, earliest, list, since, stillSafe } from "../words.ts";
import { type Rule, sign } from "./rule.ts";

/** Databases of one server that fail for one of these have one cause. */
const SERVER_CODES = new Set(["DATABASE_UNREACHABLE", "DATABASE_REFUSED"]);

/** A run failed, and no attempt is left. It ends when the database has a new backup. */
export const runFailed: Rule = {
  clearSeconds: 0,
  signs: ({ incidents, config }) =>
    Object.values(incidents).flatMap((incident) => {
      const { kind, database, since: begun } = incident;
      if (kind !== "run-failed" || database === null) return [];
      const code = incident.code ?? "UNKNOWN";
      const server = SERVER_CODES.has(code) ? serverOf(config, database) : null;
      const subject = server === null ? code : `${server} ${code}`;
      const data = dataOf(incident, { code, server: server ?? "" });
      return [sign({ rule: "run-failed", subject, member: database, severity: "warning", since: begun, data })];
    }),
  words(signs, { overview, now }) {
    const names = signs.map(({ member }) => member);
    const [first] = signs;
    const server = datum(first, "server");
    const where = server === "" || names.length === 1 ? "" : ` on ${server}`;
    const who = names.length === 1 ? (names[0] ?? "") : `${count(names.length, "database")}${where}`;
    const reason = datum(first, "message");
    return {
      title: `The backup of ${who} failed`,
      what: `The backup of ${list(names)} failed and is not tried again before its next run, since ${since(earliest(signs), now)}.${reason === "" ? "" : ` The reason: ${reason}`}`,
      safe: stillSafe(overview, names),
      todo: "Mend what the reason names, then make a backup now: `npm run backup:run -- --database NAME`, or the button on the dashboard. The alert ends by itself with the next good backup.",
      facts: [
        ["Databases", list(names)],
        ["Code", datum(first, "code")],
      ],
      link: names.length === 1 && names[0] !== undefined ? databasePage(names[0]) : "/",
    };
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
  words(signs, { overview, now }) {
    const names = signs.map(({ member }) => member);
    const [first] = signs;
    const one = names.length === 1;
    const oddities = signs.map((each) => `${each.member}: ${datum(each, "oddities")}`).slice(0, 8);
    return {
      title: one
        ? `The backup of ${names[0]} ${datum(first, "how")} than usual`
        : `The backups of ${count(names.length, "database")} have an unusual size`,
      what: `${oddities.join("; ")}, since ${since(earliest(signs), now)}.`,
      safe: stillSafe(overview, names),
      todo: "See whether tables were emptied, or much was loaded. Older backups stay by the rules of retention; hold one with `npm run backup:keep:add -- ID --reason WHY` if data may be lost. If the size is right, say so: `npm run backup:keep:accept-size -- --from ID`.",
      facts: [["Databases", list(names)]],
      link: one ? backupPage(datum(first, "backupId")) : "/",
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
  const oddities = [
    ...(size ? [`${formatBytes(size.newest)} instead of about ${formatBytes(size.usual)}`] : []),
    ...(rows ? [`${count(rows.newest, "row")} instead of about ${Math.round(rows.usual)}`] : []),
  ];
  if (oddities.length === 0) return null;
  const how = size
    ? `is ${size.times} times ${size.less ? "smaller" : "larger"}`
    : rows && `holds ${rows.times} times ${rows.less ? "fewer" : "more"} rows`;
  return sign({
    rule: "size-unusual",
    subject: "sizes",
    member: name,
    severity: "warning",
    since: new Date(newest.startedAt),
    data: { backupId: newest.backupId, how: how ?? "", oddities: oddities.join(", ") },
  });
}

interface Oddity {
  readonly newest: number;
  /** The median of those before it. */
  readonly usual: number;
  readonly less: boolean;
  /** `2.5`. */
  readonly times: string;
}

/** Of values oldest first; null where the last is as those before it, or too little is known. */
function oddity(
  values: readonly (number | null)[],
  { least, factor }: { readonly least: number; readonly factor: number },
): Oddity | null {
  const newest = values.at(-1) ?? null;
  const before = values.slice(0, -1).filter((value) => value !== null);
  if (newest === null || before.length < LEAST_HISTORY) return null;
  const usual = median(before);
  if (Math.max(usual, newest) < least) return null;
  const times = Math.max(newest, usual) / Math.max(1, Math.min(newest, usual));
  if (times <= factor) return null;
  return { newest, usual, less: newest < usual, times: times >= 100 ? "over 100" : times.toFixed(1) };
}

/** A deletion on a large scale that maintenance does not make by itself. */
export const retentionHeld: Rule = {
  clearSeconds: 0,
  signs: ({ incidents }) =>
    Object.values(incidents).flatMap((incident) => {
      const { kind, database, tier, since: begun } = incident;
      if (kind !== "retention-held" || database === null || tier === null) return [];
      const common = { rule: "retention-held", severity: "warning", since: begun } as const;
      return [sign({ ...common, subject: tier, member: database, data: dataOf(incident) })];
    }),
  words(signs, { now }) {
    const [first] = signs;
    const names = signs.map(({ member }) => member);
    const tier = first?.subject ?? "";
    return {
      title: `Cleanup of ${list(names, 3)} on ${tier} is held`,
      what: `Nothing is deleted there since ${since(earliest(signs), now)}: ${datum(first, "message")}`,
      safe: "All copies that are there stay.",
      todo: `Look at the plan (\`npm run backup:health\`, then the tier's cleanup command with --dry-run). If it is right, carry it out by hand, or accept the new size with \`npm run backup:keep:accept-size -- --from ID\`.`,
      facts: [
        ["Databases", list(names)],
        ["Tier", tier],
        ["Held for", age((now.getTime() - earliest(signs).getTime()) / 1000)],
      ],
      link: `/tiers/${encodeURIComponent(tier)}`,
    };
  },
};

function dataOf({ message, backupId }: Incident, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { message: message ?? "", backupId: backupId ?? "", ...more };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}
