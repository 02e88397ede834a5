import { serverOf } from "@trivault/backup";
import { timeOfBackupId } from "@trivault/core";
import type { Observation, Sign } from "../types.ts";
import { backupPage, begun, numberIn, pageOf, safetyOf, sumOf, textIn, tierPage } from "../sign-facts.ts";
import { type Rule, sign } from "./rule.ts";

/** A database that never had a backup somewhere is given time to make one. */
const FIRST_SECONDS = 3600;

const isDown = ({ overview }: Observation, tier: string) =>
  overview?.health.tiers.some(({ name, reachable }) => name === tier && !reachable) ?? false;

/**
 * No verified copy on a tier within its objective: from the inventories, so without the queue's help. Where the local tier
 * lacks it as well, the cause lies before the copies, and the databases of one server are reported together; else those of a tier.
 */
export const objectiveMissed: Rule = {
  clearSeconds: 60,
  signs(observation) {
    const { overview, config, now } = observation;
    return (overview?.health.databases ?? []).flatMap(({ name, objectiveSeconds, tiers }) => {
      const local = tiers[0];
      return tiers
        .filter(({ ok }) => !ok)
        .map(({ tier, newestBackupId, ageSeconds }) => {
          const late = local?.ok === false;
          const since =
            newestBackupId === null
              ? now
              : new Date(timeOfBackupId(newestBackupId).getTime() + (objectiveSeconds ?? 0) * 1000);
          return sign({
            rule: "objective-missed",
            subject: late ? (serverOf(config, name) ?? name) : tier,
            member: `${name} on ${tier}`,
            severity: "critical",
            since: since > now ? now : since,
            holdSeconds: newestBackupId === null ? (objectiveSeconds ?? FIRST_SECONDS) : 60,
            suppressed: isDown(observation, tier),
            data: {
              database: name,
              tier,
              late,
              age: ageSeconds,
              objective: objectiveSeconds,
            },
          });
        });
    });
  },
  words(signs, { overview, now }, texts) {
    const databases = databasesOf(signs);
    const [first] = signs;
    const text = texts.objectiveMissed({
      databases,
      tiers: [...new Set(signs.map((each) => textIn(each, "tier")))],
      late: first?.data["late"] === true,
      age: commonAge(signs.map((each) => numberIn(each, "age"))),
      most: numberIn(first, "objective"),
      safety: safetyOf(overview, databases),
      ...begun(signs, now),
    });
    return { ...text, link: pageOf(databases) };
  },
};

/** A copy that shall be on a tier is not, and nothing newer arrived there, for too long. */
export const copyLag: Rule = {
  clearSeconds: 60,
  keeps: ({ subject }, observation) => isDown(observation, subject),
  signs(observation) {
    const { overview, config, now } = observation;
    const { copyLagSeconds } = config.monitoring.alerts.thresholds;
    return (overview?.health.databases ?? []).flatMap(({ name, tiers }) =>
      tiers
        .slice(1)
        .filter(({ lacking, ageSeconds }) => (lacking ?? 0) > 0 && (ageSeconds === null || ageSeconds > copyLagSeconds))
        .map(({ tier, lacking, ok }) =>
          sign({
            rule: "copy-lag",
            subject: tier,
            member: name,
            severity: "warning",
            since: now,
            holdSeconds: copyLagSeconds,
            // An objective that is missed says more.
            suppressed: !ok || isDown(observation, tier),
            data: { lacking: lacking ?? 0 },
          }),
        ),
    );
  },
  words(signs, { overview, now }, texts) {
    const databases = signs.map(({ member }) => member);
    const tier = signs[0]?.subject ?? "";
    const lacking = sumOf(signs, "lacking");
    const safety = safetyOf(overview, databases);
    return { ...texts.copyLag({ databases, tier, lacking, safety, ...begun(signs, now) }), link: tierPage(tier) };
  },
};

/** A verification found bytes that are not what was stored; or maintenance found copies that are damaged. */
export const damageFound: Rule = {
  clearSeconds: 0,
  signs({ incidents, overview, now }) {
    const found = Object.values(incidents).flatMap(({ kind, since, database, tier, backupId, message }) =>
      kind !== "damage" || tier === null || backupId === null
        ? []
        : [
            sign({
              rule: "damage-found",
              subject: tier,
              member: backupId,
              severity: "critical",
              since,
              data: { database: database ?? "", message: message ?? "", backupId },
            }),
          ],
    );
    const seen = (overview?.health.tiers ?? [])
      .filter(({ name, damaged }) => damaged > 0 && !found.some(({ subject }) => subject === name))
      .map(({ name, damaged }) =>
        sign({
          rule: "damage-found",
          subject: name,
          member: `copies on ${name}`,
          severity: "critical",
          since: now,
          // Maintenance makes them anew in its next round.
          holdSeconds: 60,
          data: { copies: damaged },
        }),
      );
    return [...found, ...seen];
  },
  words(signs, { overview, config, now }, texts) {
    const tier = signs[0]?.subject ?? "";
    const verified = signs.filter(({ data }) => data["backupId"] !== undefined);
    const databases = databasesOf(verified);
    const [first] = verified;
    const text = texts.damageFound({
      tier,
      databases,
      backups: verified.map(({ member }) => member),
      reason: textIn(first, "message"),
      copies: numberIn(signs[0], "copies") ?? 0,
      round: 60 * config.limits.maintenanceMinutes,
      safety: safetyOf(overview, databases),
      ...begun(signs, now),
    });
    return { ...text, link: verified.length === 1 && first ? backupPage(first.member) : tierPage(tier) };
  },
};

/** The oldest of them where they are about the same; else null, as no one number fits them all. */
function commonAge(ages: readonly (number | null)[]): number | null {
  const known = ages.filter((age) => age !== null);
  if (known.length < ages.length || known.length === 0) return null;
  const oldest = Math.max(...known);
  return oldest - Math.min(...known) <= Math.max(60, oldest / 100) ? oldest : null;
}

function databasesOf(signs: readonly Sign[]): string[] {
  return [...new Set(signs.map((each) => textIn(each, "database")))].filter((name) => name !== "");
}
