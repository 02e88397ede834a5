import { datum, earliest, list, since, stillSafe, tierPage, utc, age, count } from "../words.ts";
import { formatBytes } from "@trivault/core";
import type { Observation } from "../types.ts";
import { type Rule, sign } from "./rule.ts";

const SOON_SECONDS = 86_400;
const NEARLY_FULL = 0.01;

/** By maintenance's last look, or by a copy that just failed. */
export const tierUnreachable: Rule = {
  clearSeconds: 60,
  signs({ overview, incidents, now }) {
    const down = new Map<string, { since: Date; reason: string; holdSeconds: number }>();
    for (const { name, reachable, unreachableSince, problem } of overview?.health.tiers ?? []) {
      if (reachable) continue;
      const begun = unreachableSince === null ? now : new Date(unreachableSince);
      down.set(name, { since: begun, reason: problem ?? "", holdSeconds: 30 });
    }
    for (const { kind, tier, since: begun, message } of Object.values(incidents)) {
      if (kind !== "tier-trouble" || tier === null || down.has(tier)) continue;
      down.set(tier, { since: begun, reason: message ?? "", holdSeconds: 60 });
    }
    return [...down].map(([name, { reason, ...rest }]) =>
      sign({ rule: "tier-unreachable", subject: name, member: name, severity: "critical", ...rest, data: { reason } }),
    );
  },
  words(signs, observation) {
    const { overview, now } = observation;
    const tier = signs[0]?.subject ?? "";
    const names = databasesOn(observation, tier);
    const reason = datum(signs[0], "reason");
    return {
      title: `The tier ${tier} cannot be reached`,
      what: `${tier} does not answer, since ${since(earliest(signs), now)}, so nothing new is copied there. ${count(names.length, "database")} shall be on it.${reason === "" ? "" : ` The reason: ${reason}`}`,
      safe: stillSafe(overview, names),
      todo: `Find out which step fails: \`npm run backup:sync:test\` (servers) or \`backup:cloud:test\` (buckets). When ${tier} is back, all that is missing is copied by itself.`,
      facts: [
        ["Tier", tier],
        ["Databases", list(names)],
      ],
      link: tierPage(tier),
    };
  },
};

/** It will be full soon at its rate of growth, or there is little left already. */
export const tierFilling: Rule = {
  clearSeconds: 1800,
  keeps: ({ subject }, { overview }) =>
    overview?.health.tiers.some(({ name, reachable }) => name === subject && !reachable) ?? true,
  signs(observation) {
    const { overview, config, now } = observation;
    const { fullInSeconds, leastFree } = config.monitoring.alerts.thresholds;
    return (overview?.tiers ?? []).flatMap(({ name, fullAt }) => {
      const tier = overview?.health.tiers.find((each) => each.name === name);
      if (!tier?.reachable) return [];
      const share = tier.free !== null && tier.total !== null && tier.total > 0 ? tier.free / tier.total : null;
      const left = fullAt === null ? null : (Date.parse(fullAt) - now.getTime()) / 1000;
      if ((left === null || left > fullInSeconds) && (share === null || share >= leastFree)) return [];
      const severe = (left !== null && left < SOON_SECONDS) || (share !== null && share < NEARLY_FULL);
      return [
        sign({
          rule: "tier-filling",
          subject: name,
          member: name,
          severity: severe ? "critical" : "warning",
          since: now,
          holdSeconds: 60,
          data: {
            free: tier.free === null ? "" : formatBytes(tier.free),
            share: share === null ? "" : `${(share * 100).toFixed(1)} %`,
            fullAt: fullAt === null ? "" : fullAt,
            left: left === null ? "" : age(left),
          },
        }),
      ];
    });
  },
  words(signs, { now }) {
    const [first] = signs;
    const tier = first?.subject ?? "";
    const [free, share, left, fullAt] = ["free", "share", "left", "fullAt"].map((name) => datum(first, name));
    const room = free === "" ? "" : ` ${free} are free (${share}).`;
    const when =
      fullAt === "" || fullAt === undefined
        ? ""
        : ` At the rate of the last days it is full in ${left}, on ${utc(new Date(fullAt))}.`;
    return {
      title: when === "" ? `The tier ${tier} has ${share} free` : `The tier ${tier} will be full in ${left}`,
      what: `${tier} is filling up, since ${since(earliest(signs), now)}.${room}${when}`,
      safe: "All copies that are there stay good. Once it is full, new ones fail.",
      todo: "Give it more room, keep less (`retention`), or see what else takes the space. What would go is told by the tier's cleanup command with --dry-run.",
      facts: [
        ["Tier", tier],
        ["Free", `${free ?? ""} ${share ?? ""}`.trim()],
      ],
      link: tierPage(tier),
    };
  },
};

export const tierOverBudget: Rule = {
  clearSeconds: 300,
  signs: ({ overview, config, now }) =>
    (overview?.health.tiers ?? [])
      .filter(({ overBudget }) => overBudget)
      .map(({ name, bytes }) => {
        const budget = config.tiers.find((tier) => tier.name === name)?.budget;
        const stops = budget?.whenFull === "stop";
        return sign({
          rule: "tier-over-budget",
          subject: name,
          member: name,
          severity: stops ? "critical" : "warning",
          since: now,
          data: { bytes: formatBytes(bytes), budget: budget ? formatBytes(budget.bytes) : "", stops: String(stops) },
        });
      }),
  words(signs, { now }) {
    const [first] = signs;
    const tier = first?.subject ?? "";
    const stops = datum(first, "stops") === "true";
    return {
      title: `The tier ${tier} is over its budget`,
      what: `Backups on ${tier} take ${datum(first, "bytes")}, and ${datum(first, "budget")} are allowed, since ${since(earliest(signs), now)}.${stops ? " New copies are refused." : ""}`,
      safe: "All copies that are there stay.",
      todo: `Raise tiers.${tier}.budget in the configuration file, or keep less there (\`retention\`).`,
      facts: [
        ["Tier", tier],
        ["Used", datum(first, "bytes")],
        ["Budget", datum(first, "budget")],
      ],
      link: tierPage(tier),
    };
  },
};

/** Copies that were complete are gone or changed, and nobody of us did it. */
export const tierShrunk: Rule = {
  clearSeconds: 0,
  signs: ({ incidents }) =>
    Object.values(incidents).flatMap(({ kind, since: begun, database, tier, message }) =>
      kind !== "lost-copies" || tier === null || database === null
        ? []
        : [
            sign({
              rule: "tier-shrunk",
              subject: tier,
              member: database,
              severity: "critical",
              since: begun,
              data: { copies: message ?? "1" },
            }),
          ],
    ),
  words(signs, { overview, now }) {
    const tier = signs[0]?.subject ?? "";
    const names = signs.map(({ member }) => member);
    const copies = signs.reduce((sum, each) => sum + Number(datum(each, "copies")), 0);
    return {
      title: `${count(copies, "copy", "copies")} vanished from ${tier}`,
      what: `${count(copies, "copy", "copies")} of ${list(names)} on ${tier} ${copies === 1 ? "is" : "are"} gone or no longer whole, and Trivault did not do it. Found ${since(earliest(signs), now)}.`,
      safe: stillSafe(overview, names),
      todo: `Find out who may delete on ${tier}, and what happened: a disk, a lifecycle rule, a person, an intruder. What another tier still has is brought back by itself. The alert ends once nothing is missing.`,
      facts: [
        ["Tier", tier],
        ["Databases", list(names)],
        ["Copies", String(copies)],
      ],
      link: tierPage(tier),
    };
  },
};

function databasesOn({ config, overview }: Observation, tier: string): string[] {
  const seen = (overview?.health.databases ?? []).filter((each) => each.tiers.some((one) => one.tier === tier));
  if (seen.length > 0) return seen.map(({ name }) => name);
  return config.databases.filter(({ tiers }) => tiers.includes(tier)).map(({ name }) => name);
}
