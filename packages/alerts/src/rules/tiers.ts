import { DAY_SECONDS } from "@trivault/core";
import type { Observation } from "../types.ts";
import { begun, numberIn, safetyOf, sumOf, textIn, tierPage } from "../sign-facts.ts";
import { type Rule, sign } from "./rule.ts";

const SOON_SECONDS = DAY_SECONDS;
const NEARLY_FULL = 0.01;

/** By maintenance's last look, or by a copy that just failed. */
export const tierUnreachable: Rule = {
  clearSeconds: 60,
  signs({ overview, incidents, now }) {
    const down = new Map<string, { since: Date; reason: string; holdSeconds: number }>();
    for (const { name, reachable, unreachableSince, problem } of overview?.health.tiers ?? []) {
      if (reachable) continue;
      const since = unreachableSince === null ? now : new Date(unreachableSince);
      down.set(name, { since, reason: problem ?? "", holdSeconds: 30 });
    }
    for (const { kind, tier, since, message } of Object.values(incidents)) {
      if (kind !== "tier-trouble" || tier === null || down.has(tier)) continue;
      down.set(tier, { since, reason: message ?? "", holdSeconds: 60 });
    }
    return [...down].map(([name, { reason, ...rest }]) =>
      sign({ rule: "tier-unreachable", subject: name, member: name, severity: "critical", ...rest, data: { reason } }),
    );
  },
  words(signs, observation, texts) {
    const { overview, now } = observation;
    const tier = signs[0]?.subject ?? "";
    const databases = databasesOn(observation, tier);
    const text = texts.tierUnreachable({
      tier,
      databases,
      reason: textIn(signs[0], "reason"),
      safety: safetyOf(overview, databases),
      ...begun(signs, now),
    });
    return { ...text, link: tierPage(tier) };
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
            free: tier.free,
            share,
            fullAt,
          },
        }),
      ];
    });
  },
  words(signs, { now }, texts) {
    const [first] = signs;
    const tier = first?.subject ?? "";
    const fullAt = textIn(first, "fullAt");
    const text = texts.tierFilling({
      tier,
      free: numberIn(first, "free"),
      share: numberIn(first, "share"),
      // It may have passed on a tier that cannot be reached now.
      fullAt: Date.parse(fullAt) > now.getTime() ? new Date(fullAt) : null,
      ...begun(signs, now),
    });
    return { ...text, link: tierPage(tier) };
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
          data: { bytes, budget: budget?.bytes ?? null, stops },
        });
      }),
  words(signs, { now }, texts) {
    const [first] = signs;
    const tier = first?.subject ?? "";
    const text = texts.tierOverBudget({
      tier,
      used: numberIn(first, "bytes"),
      budget: numberIn(first, "budget"),
      stops: first?.data["stops"] === true,
      ...begun(signs, now),
    });
    return { ...text, link: tierPage(tier) };
  },
};

/** Copies that were complete are gone or changed, and nobody of us did it. */
export const tierShrunk: Rule = {
  clearSeconds: 0,
  signs: ({ incidents }) =>
    Object.values(incidents).flatMap(({ kind, since, database, tier, copies }) =>
      kind !== "lost-copies" || tier === null || database === null
        ? []
        : [
            sign({
              rule: "tier-shrunk",
              subject: tier,
              member: database,
              severity: "critical",
              since,
              data: { copies: copies ?? 1 },
            }),
          ],
    ),
  words(signs, { overview, now }, texts) {
    const tier = signs[0]?.subject ?? "";
    const databases = signs.map(({ member }) => member);
    const copies = sumOf(signs, "copies");
    const safety = safetyOf(overview, databases);
    return { ...texts.tierShrunk({ tier, databases, copies, safety, ...begun(signs, now) }), link: tierPage(tier) };
  },
};

function databasesOn({ config, overview }: Observation, tier: string): string[] {
  const seen = (overview?.health.databases ?? []).filter((each) => each.tiers.some((one) => one.tier === tier));
  if (seen.length > 0) return seen.map(({ name }) => name);
  return config.databases.filter(({ tiers }) => tiers.includes(tier)).map(({ name }) => name);
}
