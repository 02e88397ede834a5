import { shellWord } from "@trivault/core";
import type { CopyTexts } from "../texts.ts";
import { age as ageOf, ago, because, copyCount, count, isAre, list, stillSafe } from "./parts.ts";

export const copies: CopyTexts = {
  databaseVanished({ databases, server, backups, since, now }) {
    const one = databases.length === 1;
    const [first = ""] = databases;
    return {
      title: `${one ? first : count(databases.length, "database")} ${isAre(databases.length)} gone from ${server}`,
      what: `${list(databases)}: ${one ? "it was" : "they were"} found on the server ${server} before, and ${one ? "is" : "are"} not there any more, since ${ago(since, now)}. No new backups are made.`,
      safe:
        backups === 0
          ? "There is no backup."
          : `${count(backups, "backup")} ${backups === 1 ? "is" : "are"} kept; no rule deletes ${backups === 1 ? "it" : "them"} while the database is gone.`,
      todo: `If this was not meant, restore: \`npm run backup:restore -- --database ${shellWord(first)} --target URL\`. If it was, take note: \`npm run backup:acknowledge -- --database ${shellWord(first)}\`, or on the dashboard. Its backups go by \`npm run backup:discard -- --database ${shellWord(first)}\`.`,
      facts: [
        ["Databases", list(databases)],
        ["Server", server],
        ["Backups", String(backups)],
      ],
    };
  },
  objectiveMissed({ databases, tiers, late, age, most, safety, since, now }) {
    const [first = ""] = databases;
    const one = databases.length === 1;
    const who = one ? first : count(databases.length, "database");
    const allowed = most === null ? "" : `; at most ${ageOf(most)} is allowed`;
    return {
      title: `${who} ${one ? "has" : "have"} no copy on ${list(tiers)} within the objective`,
      what: `${list(databases)}: no verified copy on ${list(tiers)} that is new enough, since ${ago(since, now)}.${age === null ? "" : ` The newest there is ${ageOf(age)} old${allowed}.`}`,
      safe: stillSafe(safety),
      todo: late
        ? "Backups are not being made. See whether the database server answers and workers run (`npm run backup:health`), then make one: `npm run backup:run`."
        : "Copies do not arrive. Test the tier (`npm run backup:sync:test` or `backup:cloud:test`), then bring what is missing: `backup:sync:sync` or `backup:cloud:sync`.",
      facts: [
        ["Databases", list(databases)],
        ["Tiers", list(tiers)],
      ],
    };
  },
  copyLag({ databases, tier, lacking, safety, since, now }) {
    return {
      title: `${copyCount(lacking)} on ${tier} ${isAre(lacking)} late`,
      what: `${list(databases)}: ${count(lacking, "backup")} shall be on ${tier} and ${isAre(lacking)} not there, since ${ago(since, now)}.`,
      safe: stillSafe(safety),
      todo: "The copies are tried again by themselves. If it goes on, see why in the jobs of the dashboard, and whether the line to the tier is fast enough.",
      facts: [
        ["Tier", tier],
        ["Databases", list(databases)],
        ["Copies", String(lacking)],
      ],
    };
  },
  damageFound({ tier, databases, backups, reason, copies: damaged, round, safety, since, now }) {
    const what =
      backups.length === 0
        ? `Maintenance found ${copyCount(damaged)} on ${tier} that cannot be restored`
        : `${list(backups)} on ${tier} cannot be restored from there: ${reason}`;
    return {
      title: `Damaged backups on ${tier}`,
      what: `${what}, since ${ago(since, now)}.`,
      safe:
        databases.length > 0
          ? stillSafe(safety)
          : "Other tiers are not affected; a restore takes good bytes from any of them.",
      todo: `Maintenance, which comes every ${ageOf(round)}, makes a damaged copy anew from another tier. If damage comes back, look at the disk or the storage, and read all of the tier: \`npm run backup:verify -- --backup all\`.`,
      facts: [["Tier", tier], ...(databases.length > 0 ? [["Databases", list(databases)] as const] : [])],
    };
  },
  untrustedBackups({ tier, copies: untrusted, since, now }) {
    return {
      title: `${copyCount(untrusted)} on ${tier} ${isAre(untrusted)} not to be trusted`,
      what: `${copyCount(untrusted)} on ${tier} ${untrusted === 1 ? "has a manifest" : "have manifests"} that no key known here signed, since ${ago(since, now)}. Somebody else put ${untrusted === 1 ? "it" : "them"} there or changed ${untrusted === 1 ? "it" : "them"}, or a key is missing here.`,
      safe: "They count for nothing: no restore takes them by itself, no rule deletes them, and nothing of them is copied.",
      todo: `See which they are: \`npm run backup:list\`. If they are yours, put their signing key into BACKUP_TRUSTED_KEYS. If not, find out who may write to ${tier}, then remove their folders by hand.`,
      facts: [
        ["Tier", tier],
        ["Copies", String(untrusted)],
      ],
    };
  },
  unknownCopies({ tier, copies: unread, databases, reason, safety, since, now }) {
    return {
      title: `${copyCount(unread)} on ${tier} cannot be read`,
      what: `${tier} lists ${copyCount(unread)} and does not give out what ${unread === 1 ? "its" : "their"} state is read from, since ${ago(since, now)}. Nothing is known of ${unread === 1 ? "it" : "them"}: ${unread === 1 ? "it" : "they"} may be good.${because(reason)}`,
      safe: databases.length > 0 ? stillSafe(safety) : "Other tiers are not affected.",
      todo: `See what refuses: permissions of the account or the bucket (a KMS key, too), the health of the server or the disk. ${unread === 1 ? "It is" : "They are"} tried again in each round of maintenance, and nothing is deleted or replaced until then.`,
      facts: [
        ["Tier", tier],
        ["Copies", String(unread)],
        ...(databases.length > 0 ? [["Databases", list(databases)] as const] : []),
      ],
    };
  },
};
