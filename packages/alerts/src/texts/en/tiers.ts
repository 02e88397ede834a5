import { formatBytes } from "@trivault/core";
import type { TierTexts } from "../texts.ts";
import { age, ago, because, copyCount, count, isAre, list, stillSafe, utc } from "./parts.ts";

const percent = (share: number) => `${(share * 100).toFixed(1)} %`;

export const tiers: TierTexts = {
  tierUnreachable({ tier, databases, reason, safety, since, now }) {
    return {
      title: `The tier ${tier} cannot be reached`,
      what: `${tier} does not answer, since ${ago(since, now)}, so nothing new is copied there. ${count(databases.length, "database")} shall be on it.${because(reason)}`,
      safe: stillSafe(safety),
      todo: `Find out which step fails: \`npm run backup:sync:test\` (servers) or \`backup:cloud:test\` (buckets). When ${tier} is back, all that is missing is copied by itself.`,
      facts: [
        ["Tier", tier],
        ["Databases", list(databases)],
      ],
    };
  },
  tierFilling({ tier, free, share, fullAt, since, now }) {
    const left = fullAt && age((fullAt.getTime() - now.getTime()) / 1000);
    const size = free === null ? "" : formatBytes(free);
    const room = free === null ? "" : ` ${size} are free${share === null ? "" : ` (${percent(share)})`}.`;
    const when = fullAt && ` At the rate of the last days it is full in ${left}, on ${utc(fullAt)}.`;
    return {
      title: left
        ? `The tier ${tier} will be full in ${left}`
        : `The tier ${tier} has ${share === null ? "little room" : percent(share)} free`,
      what: `${tier} is filling up, since ${ago(since, now)}.${room}${when ?? ""}`,
      safe: "All copies that are there stay good. Once it is full, new ones fail.",
      todo: "Give it more room, keep less (`retention`), or see what else takes the space. The tier's cleanup command with --dry-run shows what would go.",
      facts: [
        ["Tier", tier],
        ...(free === null ? [] : [["Free", `${size} ${share === null ? "" : percent(share)}`.trim()] as const]),
      ],
    };
  },
  tierOverBudget({ tier, used, budget, stops, since, now }) {
    const [taken, allowed] = [used, budget].map((bytes) => (bytes === null ? null : formatBytes(bytes)));
    return {
      title: `The tier ${tier} is over its budget`,
      what: `Backups on ${tier} take ${taken ?? "more than is allowed"}${allowed ? `, and ${allowed} are allowed` : ""}, since ${ago(since, now)}.${stops ? " New copies are refused." : ""}`,
      safe: "All copies that are there stay.",
      todo: `Raise tiers.${tier}.budget in the configuration file, or keep less there (\`retention\`).`,
      facts: [
        ["Tier", tier],
        ...(taken ? [["Used", taken] as const] : []),
        ...(allowed ? [["Budget", allowed] as const] : []),
      ],
    };
  },
  tierShrunk({ tier, databases, copies, safety, since, now }) {
    return {
      title: `${copyCount(copies)} vanished from ${tier}`,
      what: `${copyCount(copies)} of ${list(databases)} on ${tier} ${isAre(copies)} gone or no longer whole, and Trivault did not do it. Found ${ago(since, now)}.`,
      safe: stillSafe(safety),
      todo: `Find out who may delete on ${tier}, and what happened: a disk, a lifecycle rule, a person, an intruder. What another tier still has is brought back by itself. The alert ends once nothing is missing.`,
      facts: [
        ["Tier", tier],
        ["Databases", list(databases)],
        ["Copies", String(copies)],
      ],
    };
  },
};
