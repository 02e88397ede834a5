import { availableParallelism, cpus, loadavg } from "node:os";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { auditFolder, openAuditLog } from "@trivault/audit";
import { createLogger } from "@trivault/core";
import { createObserver, openObserver } from "@trivault/monitor";
import { openTiers } from "@trivault/storage";
import { makeTempDir } from "@trivault/testkit";
import { addBackup } from "../test/support/add-backup.ts";
import { type LargeSite, makeLargeSite } from "../test/support/large-site.ts";

/**
 * What the observer of a large site costs: its first look, a look after one more backup, its answers, its memory, and what
 * the thread that answers requests notices of it. `npx node bench/overview.ts [databases] [backups]`.
 */
const [DATABASES = 300, BACKUPS = 100_000] = process.argv.slice(2).map(Number);
const ROUNDS = 10;

const say = (line: string) => process.stderr.write(`${line}\n`);
const figures: Record<string, string> = {};

await using folder = await makeTempDir("tv-overview");
const site = await timed("making the site's files", () =>
  makeLargeSite(folder.path, { databases: DATABASES, backups: BACKUPS, failing: 4 }),
);
figures["events in the audit log"] = String(site.events);
await measure(site);
await measureStart(site);
await profileLooks(site);
process.stdout.write(
  `${JSON.stringify({ machine: `${availableParallelism()} CPUs (${cpus()[0]?.model}), load ${loadavg()[0]?.toFixed(1)}`, DATABASES, BACKUPS, figures }, null, 2)}\n`,
);

async function measure({ config, databases }: LargeSite): Promise<void> {
  const before = process.memoryUsage.rss();
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const observer = openObserver(config, createLogger("warn", "bench"));
  try {
    delay.enable();
    await timed("the first look, the thread's start included", () => observer.overview());
    reportDelay("the main thread's longest delay meanwhile", delay);
    await timed("a look at what has not changed", () => observer.refresh());
    const overview = await timed("the overview, when it is new", () => observer.overview());
    figures["size of the overview as JSON"] = `${Math.round(JSON.stringify(overview).length / 1000)} kB`;
    const [name = ""] = databases;
    for (const [what, ask] of [
      ["the overview once more", () => observer.overview()],
      ["the page of a database", () => observer.database(name)],
      ["the page of a tier", () => observer.tier("cloud")],
      ["one run", () => observer.run(site.backups.get(name)?.at(-1) ?? "")],
    ] as const) {
      await ask();
      await several(what, ask);
    }
    delay.reset();
    await several("a look after one more backup", async (round) => {
      const database = databases[round % databases.length] ?? name;
      await addBackup({
        backupDir: config.backupDir,
        tiers: config.tiers.map((tier) => tier.name),
        database,
        bytes: 5e8,
      });
      const begun = performance.now();
      await observer.refresh();
      return performance.now() - begun;
    });
    reportDelay("the main thread's longest delay during those looks", delay);
    await sleep(3000);
    figures["memory beyond that of the process before"] =
      `${Math.round((process.memoryUsage.rss() - before) / 1e6)} MB`;
  } finally {
    await timed("closing", () => observer.close());
  }
}

/** A start once the history was kept: at once, and when each database has one more backup. */
async function measureStart({ config, databases }: LargeSite): Promise<void> {
  const start = async (what: string) => {
    const before = process.memoryUsage.rss();
    const observer = openObserver(config, createLogger("warn", "bench"));
    try {
      await timed(what, () => observer.overview());
      await observer.refresh();
      figures[`memory after ${what}`] = `${Math.round((process.memoryUsage.rss() - before) / 1e6)} MB more`;
    } finally {
      await observer.close();
    }
  };
  await start("a start with the history kept");
  const tiers = config.tiers.map((tier) => tier.name);
  for (const database of databases) await addBackup({ backupDir: config.backupDir, tiers, database, bytes: 5e8 });
  await start("a start after one more backup of each database");
}

/** The same in this thread, where a profiler sees it: `node --cpu-prof`. */
async function profileLooks({ config }: LargeSite): Promise<void> {
  const log = createLogger("warn", "bench");
  const tiers = openTiers(config.tiers);
  const audit = openAuditLog(auditFolder(config.backupDir), { log });
  const observer = createObserver({ config, tiers, audit, now: () => new Date(), log });
  await timed("the first look, in this thread", () => observer.overview());
  await timed("another", () => observer.refresh());
  await observer.close();
  await audit.close();
  await Promise.all(tiers.map(({ store }) => store.close()));
}

function reportDelay(what: string, delay: ReturnType<typeof monitorEventLoopDelay>): void {
  const text = `${(delay.max / 1e6).toFixed(0)} ms (p99 ${(delay.percentile(99) / 1e6).toFixed(1)} ms)`;
  figures[what] = text;
  say(`${what}: ${text}`);
  delay.reset();
}

async function several(what: string, work: (round: number) => Promise<unknown>): Promise<void> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const begun = performance.now();
    const own = await work(round);
    times.push(typeof own === "number" ? own : performance.now() - begun);
  }
  const sorted = times.toSorted((a, b) => a - b);
  const text = `${sorted[ROUNDS >> 1]?.toFixed(1)} ms, at most ${sorted.at(-1)?.toFixed(1)} ms`;
  figures[what] = text;
  say(`${what}: ${text}`);
}

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const begun = performance.now();
  const cpu = process.cpuUsage();
  const result = await work();
  const { user, system } = process.cpuUsage(cpu);
  const text = `${((performance.now() - begun) / 1000).toFixed(2)} s (${((user + system) / 1e6).toFixed(2)} s of CPU)`;
  figures[what] = text;
  say(`${what}: ${text}`);
  return result;
}
