import { oneOf } from "../support/random.ts";
import { how } from "./backup-actions.ts";
import type { Action, Context } from "./context.ts";
import { goodBackups } from "./model.ts";
import { API_TOKEN, DATABASES } from "./world.ts";

const COMMANDS = [
  ["list", "--fresh"],
  ["list", "--json"],
  ["sync", "list"],
  ["cloud", "list", "--json"],
  ["sync", "stats"],
  ["cloud", "stats"],
  ["sync", "test"],
  ["cloud", "test"],
  ["keep", "list"],
  ["alerts", "list"],
  ["audit", "logs", "--limit", "50"],
  ["reports", "generate"],
  ["config", "check"],
] as const;

const PAGES = [
  "/",
  "/tiers",
  "/tiers/local",
  "/tiers/remote",
  "/tiers/cloud",
  "/databases/alpha",
  "/databases/beta?all",
  "/alerts",
  "/audit",
  "/reports",
  "/metrics",
  "/api/v1/health",
  "/api/v1/backups",
  "/healthz",
  "/api/v1/databases",
  "/api/v1/tiers",
  "/api/v1/alerts",
  "/api/v1/audit",
  "/api/v1/audit/verify",
  "/api/v1/config",
  "/api/v1/databases/gamma",
  "/api/v1/databases/gamma/retention",
  "/api/v1/databases/alpha/runs",
  "/api/v1/keeps",
  "/api/v1/reports",
  "/api/v1/tiers/cloud",
  "/api/v1/tiers/remote/cleanup",
] as const;
const ANSWER_WITHIN_MS = 60_000;
/** Something that it needs is away, and it says so. */
const AWAY = new Set([502, 503, 504]);

/** Whoever looks changes nothing, and is never shown an error of ours. */
export const READER_ACTIONS: readonly Action[] = [
  {
    name: "read by CLI",
    weight: 8,
    async run({ staff, random }) {
      const command = oneOf(random, COMMANDS) ?? ["list"];
      return `${command.join(" ")}: ${how(await staff.cli(command))}`;
    },
  },
  { name: "health", weight: 4, run: health },
  {
    name: "audit verify",
    weight: 2,
    async run({ staff, problems }) {
      const ended = await staff.cli(["audit", "verify"]);
      if (ended.code === 1) problems.push(`audit verify: ${ended.stdout.slice(-800)}${ended.stderr.slice(-800)}`);
      return how(ended);
    },
  },
  { name: "read by API", weight: 8, run: readPages },
];

/** All safe is said only where each tier has a copy of each database. */
async function health({ world, staff, model, claims }: Context): Promise<string> {
  const newest = [...goodBackups(model).values()].toReversed();
  const ended = await staff.cli(["health", "--fresh"]);
  if (ended.code === 0) {
    for (const database of DATABASES) {
      for (const { name: tier } of world.tiers) {
        // A flipped byte is for maintenance to find: health reads no segment.
        const flipped = [...model.harmed.values()].filter(({ kind }) => kind === "flipped");
        if ([...model.good.values(), ...flipped].some((copy) => copy.tier === tier && copy.database === database))
          continue;
        const backupId = newest.find(([copy]) => copy?.database === database)?.[0]?.backupId ?? "any backup";
        claims.push({ tier, database, backupId, by: "health, which called all safe" });
      }
    }
  }
  return how(ended);
}

async function readPages({ staff, random, problems }: Context): Promise<string> {
  const url = /"url":"(http:[^"]+)","msg":"API ready"/.exec(staff.api.log())?.[1];
  if (url === undefined) return "the API is starting";
  const pages: string[] = PAGES.filter(() => random() < 0.5);
  const seen = await Promise.all(pages.map((page) => status(`${url}${page}`)));
  for (const [index, code] of seen.entries()) {
    if (code !== null && code >= 400 && code !== 429 && code !== 404 && !AWAY.has(code))
      problems.push(`GET ${pages[index]} answers ${code}`);
  }
  const counts = Map.groupBy(seen, (code) => code ?? "none");
  return [...counts].map(([code, all]) => `${all.length} × ${code}`).join(", ");
}

/** Null where it is not answered: the API may be killed, too. */
async function status(url: string): Promise<number | null> {
  try {
    const response = await fetch(url, {
      headers: { authorization: `Bearer ${API_TOKEN}` },
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    await response.arrayBuffer();
    return response.status;
  } catch {
    return null;
  }
}
