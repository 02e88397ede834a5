/**
 * npm run demo [-- --once] [-- --json]
 *
 * What an operator would have (PostgreSQL with a web shop, a server with sshd, a bucket), and Trivault on it: one backup
 * through three tiers, a restore from each of them, and a comparison of every row. Then the dashboard stays up to
 * be looked at. Everything lies in one temporary folder; nothing of it stays. `--json` prints one object on stdout.
 */
import { once } from "node:events";
import { parseArgs } from "node:util";
import { formatBytes } from "@trivault/core";
import { digestDatabase, parseDatabaseUrl, type TableDigest } from "@trivault/postgres";
import { createSampleDatabase } from "@trivault/testkit";
import { type DemoReport, isGood, table, type TierReport } from "./demo/report.ts";
import { startSurroundings, type Surroundings } from "./demo/surroundings.ts";
import { choosePort, cli, type Env, generateKeys, settingsFor, startTrivault } from "./demo/trivault.ts";

const DATABASE = "shop";
const MEGABYTES = 220;
const TIERS = ["local", "remote", "cloud"] as const;

const { values: options } = parseArgs({
  options: { once: { type: "boolean", default: false }, json: { type: "boolean", default: false } },
});
const say = (line: string) => process.stderr.write(`${line}\n`);

interface StageTimes {
  readonly stages: readonly {
    readonly stage: string;
    readonly tier: string | null;
    readonly finishedAt: string | null;
  }[];
}
interface Verified {
  readonly good: boolean;
  readonly copies: readonly { readonly bytes: number }[];
}

async function backUp(env: Env, url: string): Promise<{ backupId: string; secondsTo: (tier: string) => number }> {
  const begun = Date.now();
  const { backupId } = await cli<{ backupId: string }>(env, ["run", "--database", DATABASE, "--wait"], true);
  const answer = await fetch(`${url}/api/v1/backups/${backupId}`);
  const { stages } = (await answer.json()) as StageTimes;
  const finished = (tier: string) =>
    stages.find((stage) => (tier === "local" ? stage.stage === "encrypt" : stage.tier === tier))?.finishedAt;
  return { backupId, secondsTo: (tier) => (Date.parse(finished(tier) ?? "") - begun) / 1000 };
}

async function restoreFrom(tier: string, env: Env, { postgres }: Surroundings, source: readonly TableDigest[]) {
  const target = postgres.urlOf(`${DATABASE}_from_${tier}`);
  const begun = performance.now();
  await cli({ ...env, BACKUP_RESTORE_TARGET: target }, ["restore", "--database", DATABASE, "--from", tier], true);
  const restoreSeconds = (performance.now() - begun) / 1000;
  const restored = await digestDatabase(parseDatabaseUrl(target));
  return { restoreSeconds, equal: JSON.stringify(restored) === JSON.stringify(source) };
}

interface Source {
  readonly bytes: number;
  readonly tables: readonly TableDigest[];
}

async function demonstrate(around: Surroundings, env: Env, url: string, source: Source): Promise<DemoReport> {
  say(`\nBacking up ${DATABASE}, as \`npm run backup:run -- --wait\` does:`);
  const { backupId, secondsTo } = await backUp(env, url);
  const tiers: TierReport[] = [];
  for (const tier of TIERS) {
    say(`\nReading the ${tier} copy again, then restoring it into a database of its own:`);
    const verified = await cli<Verified>(env, ["verify", "--database", DATABASE, "--tier", tier], true);
    const restored = await restoreFrom(tier, env, around, source.tables);
    tiers.push({
      tier,
      bytes: verified.copies[0]?.bytes ?? 0,
      seconds: secondsTo(tier),
      verified: verified.good,
      ...restored,
    });
  }
  const rows = source.tables.reduce((sum, each) => sum + each.rows, 0);
  return { database: { name: DATABASE, bytes: source.bytes, tables: source.tables.length, rows }, backupId, tiers };
}

/** Ctrl-C or SIGTERM. */
const stop = new AbortController();
const stopped = once(stop.signal, "abort");
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => stop.abort());

/** Gives up waiting at Ctrl-C; what was started ends with its `await using`. */
function unlessStopped<T>(work: Promise<T>): Promise<T> {
  const given = stopped.then(() => {
    throw new Error("it was stopped before it was through");
  });
  return Promise.race([work, given]);
}

try {
  say("Starting PostgreSQL, sshd (the remote server) and an S3 server (the cloud) …");
  await using around = await startSurroundings();
  say(`They run in ${around.folder}. Filling the database ${DATABASE} …`);
  const url = await around.postgres.createDatabase(DATABASE);
  const bytes = await createSampleDatabase(url, { megabytes: MEGABYTES });
  const source: Source = { bytes, tables: await digestDatabase(parseDatabaseUrl(url)) };
  say(`${DATABASE}: ${formatBytes(bytes)} in ${source.tables.length} tables.`);

  const settings = settingsFor(around, url, await choosePort());
  const env: Env = { ...settings, BACKUP_ENCRYPTION_RECIPIENTS: await generateKeys(settings) };
  say("Starting Trivault, as `npm start` does (API, all workers, a Redis of its own) …");
  await using trivault = await startTrivault(env);
  const report = await unlessStopped(demonstrate(around, env, trivault.url, source));

  say(`\n${table(report)}\n`);
  if (options.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  if (!isGood(report)) {
    say("Not every copy is verified and equal: this should never happen, please report it.");
    process.exitCode = 1;
  } else if (!options.once) {
    say(`Look around until Ctrl-C:\n  Dashboard  ${trivault.url}/\n  API        ${trivault.url}/api/v1/backups`);
    await stopped;
    say("\nStopping and removing everything …");
  }
} catch (error) {
  say(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
