import { serverOf } from "@trivault/backup";
import { timeOfBackupId } from "@trivault/core";
import type { Observation, Sign } from "../types.ts";
import { age, backupPage, count, databasePage, datum, earliest, list, since, stillSafe, tierPage } from "../words.ts";
import { type Rule, sign } from "./rule.ts";

/** A database that never had a backup somewhere is given time to make one. */
const FIRST_SECONDS = 3600;

const isDown = ({ overview }: Observation, tier: string) =>
  overview?.health.tiers.some(({ name, reachable }) => name === tier && !reachable) ?? false;

/**
 * No verified copy on a tier within its objective: from the inventories, so without the queue's help. Where the local tier
 * lacks it as well, the cause lies before the copies, and the databases of one server are told together; else those of a tier.
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
          const begun =
            newestBackupId === null
              ? now
              : new Date(timeOfBackupId(newestBackupId).getTime() + (objectiveSeconds ?? 0) * 1000);
          return sign({
            rule: "objective-missed",
            subject: late ? (serverOf(config, name) ?? name) : tier,
            member: `${name} on ${tier}`,
            severity: "critical",
            since: begun > now ? now : begun,
            holdSeconds: newestBackupId === null ? (objectiveSeconds ?? FIRST_SECONDS) : 60,
            suppressed: isDown(observation, tier),
            data: {
              database: name,
              tier,
              late: String(late),
              age: ageSeconds === null ? "" : age(ageSeconds),
              objective: objectiveSeconds === null ? "" : age(objectiveSeconds),
            },
          });
        });
    });
  },
  words(signs, { overview, now }) {
    const names = databasesOf(signs);
    const tiers = list([...new Set(signs.map((each) => datum(each, "tier")))]);
    const [first] = signs;
    const one = names.length === 1;
    const who = one ? (names[0] ?? "") : count(names.length, "database");
    const ages = [...new Set(signs.map((each) => datum(each, "age")))];
    const age1 =
      ages.length === 1 && ages[0] !== ""
        ? ` The newest there is ${ages[0]} old; at most ${datum(first, "objective")} is allowed.`
        : "";
    return {
      title: `${who} ${one ? "has" : "have"} no copy on ${tiers} within the objective`,
      what: `${list(names)}: no verified copy on ${tiers} that is new enough, since ${since(earliest(signs), now)}.${age1}`,
      safe: stillSafe(overview, names),
      todo:
        datum(first, "late") === "true"
          ? "Backups are not being made. See whether the database server answers and workers run (`npm run backup:health`), then make one: `npm run backup:run`."
          : `Copies do not arrive. Test the tier (\`npm run backup:sync:test\` or \`backup:cloud:test\`), then bring what is missing: \`backup:sync:sync\` or \`backup:cloud:sync\`.`,
      facts: [
        ["Databases", list(names)],
        ["Tiers", tiers],
      ],
      link: one && names[0] !== undefined ? databasePage(names[0]) : "/",
    };
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
            data: { lacking: String(lacking ?? 0) },
          }),
        ),
    );
  },
  words(signs, { overview, now }) {
    const names = signs.map(({ member }) => member);
    const tier = signs[0]?.subject ?? "";
    const lacking = signs.reduce((sum, each) => sum + Number(datum(each, "lacking")), 0);
    return {
      title: `${count(lacking, "copy", "copies")} on ${tier} ${lacking === 1 ? "is" : "are"} late`,
      what: `${list(names)}: ${count(lacking, "backup")} shall be on ${tier} and ${lacking === 1 ? "is" : "are"} not there, since ${since(earliest(signs), now)}.`,
      safe: stillSafe(overview, names),
      todo: "The copies are tried again by themselves. If it goes on, see why in the jobs of the dashboard, and whether the line to the tier is fast enough.",
      facts: [
        ["Tier", tier],
        ["Databases", list(names)],
        ["Copies", String(lacking)],
      ],
      link: tierPage(tier),
    };
  },
};

/** A verification found bytes that are not what was stored; or maintenance found copies that are damaged. */
export const damageFound: Rule = {
  clearSeconds: 0,
  signs({ incidents, overview, now }) {
    const found = Object.values(incidents).flatMap(({ kind, since: begun, database, tier, backupId, message }) =>
      kind !== "damage" || tier === null || backupId === null
        ? []
        : [
            sign({
              rule: "damage-found",
              subject: tier,
              member: backupId,
              severity: "critical",
              since: begun,
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
          data: { copies: String(damaged) },
        }),
      );
    return [...found, ...seen];
  },
  words(signs, { overview, now }) {
    const tier = signs[0]?.subject ?? "";
    const verified = signs.filter(({ data }) => data["backupId"] !== undefined);
    const names = databasesOf(verified);
    const [first] = verified;
    const what =
      first === undefined
        ? `Maintenance found ${count(Number(datum(signs[0], "copies")), "copy", "copies")} on ${tier} that cannot be restored`
        : `${list(verified.map(({ member }) => member))} on ${tier} cannot be restored from there: ${datum(first, "message")}`;
    return {
      title: `Damaged backups on ${tier}`,
      what: `${what}, since ${since(earliest(signs), now)}.`,
      safe:
        names.length > 0
          ? stillSafe(overview, names)
          : "Other tiers are not affected; a restore takes good bytes from any of them.",
      todo: "Maintenance makes a damaged copy anew from another tier within a quarter of an hour. If damage comes back, look at the disk or the storage, and read all of the tier: `npm run backup:verify -- --backup all`.",
      facts: [["Tier", tier], ...(names.length > 0 ? [["Databases", list(names)] as const] : [])],
      link: verified.length === 1 && first ? backupPage(first.member) : tierPage(tier),
    };
  },
};

function databasesOf(signs: readonly Sign[]): string[] {
  return [...new Set(signs.map((each) => datum(each, "database")))].filter((name) => name !== "");
}
