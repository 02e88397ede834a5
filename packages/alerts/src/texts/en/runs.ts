import { formatBytes } from "@trivault/core";
import { type Change, MOST_NAMED, type Sizes, timesOf } from "../facts.ts";
import type { RunTexts } from "../texts.ts";
import { age, ago, because, count, list, stillSafe } from "./parts.ts";

export const runs: RunTexts = {
  runFailed({ databases, server, code, reason, safety, since, now }) {
    const [first = ""] = databases;
    const several = `${count(databases.length, "database")}${server === "" ? "" : ` on ${server}`}`;
    return {
      title: `The backup of ${databases.length === 1 ? first : several} failed`,
      what: `The backup of ${list(databases)} failed and is not tried again before its next run, since ${ago(since, now)}.${because(reason)}`,
      safe: stillSafe(safety),
      todo: "Correct what the reason names, then make a backup now: `npm run backup:run -- --database NAME`, or the button on the dashboard. The alert ends by itself with the next good backup.",
      facts: [
        ["Databases", list(databases)],
        ["Code", code],
      ],
    };
  },
  sizeUnusual({ sizes, safety, since, now }) {
    const databases = sizes.map(({ database }) => database);
    const [first] = sizes;
    return {
      title:
        first !== undefined && sizes.length === 1
          ? `The backup of ${first.database} ${howUnusual(first)} than usual`
          : `The backups of ${count(sizes.length, "database")} have an unusual size`,
      what: `${sizes.slice(0, MOST_NAMED).map(oddities).join("; ")}, since ${ago(since, now)}.`,
      safe: stillSafe(safety),
      todo: "See whether tables were emptied, or much was loaded. Older backups stay by the rules of retention; hold one with `npm run backup:keep:add -- ID --reason WHY` if data may be lost. If the size is right, say so: `npm run backup:keep:accept-size -- --from ID`.",
      facts: [["Databases", list(databases)]],
    };
  },
  retentionHeld({ databases, tier, reason, rulesChanged, since, now }) {
    const look = "Look at the plan: the tier's page of the dashboard, or its cleanup command with --dry-run.";
    return {
      title: `Cleanup of ${list(databases, 3)} on ${tier} is held`,
      what: rulesChanged
        ? `The rules of retention changed, and what the rules before keep is not deleted yet, since ${ago(since, now)}: ${reason}`
        : `Nothing is deleted there since ${ago(since, now)}: ${reason}`,
      safe: "All copies that are there stay.",
      todo: rulesChanged
        ? `${look} If it is right, carry it out by hand, or leave it: after the time of grace it is deleted by itself. If it is not, change the rules back.`
        : `${look} If it is right, carry it out by hand, or accept the new size with \`npm run backup:keep:accept-size -- --from ID\`.`,
      facts: [
        ["Databases", list(databases)],
        ["Tier", tier],
        ["Held for", age((now.getTime() - since.getTime()) / 1000)],
      ],
    };
  },
};

function howUnusual({ bytes, rows }: Sizes): string {
  if (bytes) return `is ${times(bytes)} times ${bytes.newest < bytes.usual ? "smaller" : "larger"}`;
  return rows ? `holds ${times(rows)} times ${rows.newest < rows.usual ? "fewer" : "more"} rows` : "is other";
}

function oddities({ database, bytes, rows }: Sizes): string {
  const parts = [
    ...(bytes ? [`${formatBytes(bytes.newest)} instead of about ${formatBytes(bytes.usual)}`] : []),
    ...(rows ? [`${count(rows.newest, "row")} instead of about ${Math.round(rows.usual)}`] : []),
  ];
  return `${database}: ${parts.join(", ")}`;
}

function times(change: Change): string {
  const factor = timesOf(change);
  return factor >= 100 ? "over 100" : factor.toFixed(1);
}
