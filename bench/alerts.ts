import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, open, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  createSampleDatabase,
  freePort,
  startPostgres,
  startReceiver,
  startRedis,
  startSshd,
  startTcpProxy,
} from "@trivault/testkit";

/**
 * From an injected failure to the message that arrived: `node bench/alerts.ts [<rules>]`. Real processes (API, worker, Redis, PostgreSQL,
 * sshd), a webhook on this machine, the thresholds as they are by default; but maintenance comes every minute instead of
 * every fifteen, which the tiers' rules wait for.
 */
const only = (process.argv[2] ?? "").split(",").filter((rule) => rule !== "");
const TOKEN = "a-token-of-the-bench-0123456789ab";
const LONGEST_MS = 600_000;
/** Two and a half times as long as the dead man's switch takes between two calls. */
const SILENCE_MS = 150_000;
const ROOT = path.resolve(import.meta.dirname, "..");

const folder = await mkdtemp(path.join(tmpdir(), "alerts-bench-"));
const at = (...names: string[]) => path.join(folder, ...names);
await using postgres = await startPostgres();
await using sshd = await startSshd();
const redis = await startRedis();
await using ops = await startReceiver();
await using second = await startReceiver();
await using deadMan = await startReceiver();
const lines = [await startTcpProxy(sshd), await startTcpProxy(sshd)];
const processes = new Map<string, ChildProcess>();
const shop = await postgres.createDatabase("shop");
const ghost = await postgres.createDatabase("ghost");
await createSampleDatabase(shop, { megabytes: 60 });
const port = await freePort();
const file = at("trivault.config.yaml");
const env = {
  PATH: process.env["PATH"] ?? "",
  HOME: folder,
  BACKUP_CONFIG: file,
  BACKUP_DIR: at("backups"),
  BACKUP_SPOOL_DIR: at("spool"),
  BACKUP_ENCRYPTION: "none",
  BACKUP_MAINTENANCE_EVERY: "1m",
  BACKUP_API_TOKEN: TOKEN,
  BACKUP_API_PORT: String(port),
  REDIS_URL: redis.url,
  LOG_LEVEL: "warn",
};

interface Row {
  readonly rule: string;
  readonly injected: string;
  readonly seconds: number | null;
}
const rows: Row[] = [];
const requested = new Map<string, number>();

try {
  await configure();
  const url = await startApi();
  start("worker", "apps/worker/src/main.js");
  await measureAll(url);
} finally {
  for (const child of processes.values()) child.kill("SIGKILL");
  for (const line of lines) await line.stop();
  await redis.stop();
  await rm(folder, { recursive: true, force: true });
}
table();

async function measureAll(url: string): Promise<void> {
  await backup(url, "shop");
  await backup(url, "ghost");
  await sleep(20_000); // it was due as well
  await postgres.query("drop database ghost with (force)");
  await measure("run-failed", "a backup of a database that is gone", () => request(url, "ghost"));
  await measure("config-refused", "a mistake in the configuration file", () => writeFile(file, "timeZone: nowhere\n"));
  await configure();
  await measure("expiring", "an API token of ten days", () =>
    cli("token", "create", "--name", "soon", "--role", "viewer", "--expires", "10d"),
  );
  for (let i = 0; i < 5; i++) await backup(url, "shop");
  const names = await postgres.query(
    "select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname !~ '^(pg_|information_schema)'",
    "shop",
  );
  await postgres.query(`truncate ${names.map(({ name }) => String(name)).join(", ")} cascade`, "shop");
  await measure("size-unusual", "all tables emptied, then a backup", () => request(url, "shop"));
  await settled(url);
  for (let i = 0; i < 8; i++) await backup(url, "shop");
  await sleep(70_000); // until maintenance has seen them: as many as are new may go
  await measure("retention-held", "`last: 30` becomes `last: 1`: most copies would go", () => configure({ last: 1 }));
  await configure();
  await measure("copy-lag", "no worker copies to a tier, copyLag is one minute", async () => {
    await configure({ thresholds: "{ copyLag: 1m }" });
    await restartWorker({ WORKER_QUEUES: "dump,encrypt,verify,maintenance" });
    await request(url, "shop");
  });
  await restartWorker();
  await configure();
  await settled(url);
  await measure("damage-found", "a flipped bit, then a verification", async () => {
    await flipBit(await newestSegment());
    await cli("verify", "--backup", "latest", "--database", "shop", "--tier", "local").catch(() => undefined);
  });
  await measure("tier-shrunk", "a copy deleted on the server", async () => {
    const [oldest = ""] = (await readdir(path.join(sshd.directory, "remote", "shop"))).toSorted();
    await rm(path.join(sshd.directory, "remote", "shop", oldest), { recursive: true });
  });
  await measure("tier-over-budget", "a budget of 1 KiB", () => configure({ local: "{ budget: { size: 1KiB } }" }));
  await measure("tier-filling", "more must be free than is", () => configure({ thresholds: "{ leastFree: 1 }" }));
  await measure("objective-missed", "an objective of one minute", () => configure({ objective: "1m" }));
  await configure();
  await measure("clock-drift", "a heartbeat of a clock two minutes ahead", beatAhead);
  await measure("tier-unreachable", "the line is cut, and no copy is due", async () => lines[1]?.stop());
  await measure(
    "tier-unreachable",
    "the line is cut, and a copy is due",
    async () => {
      await lines[0]?.stop();
      await request(url, "shop");
    },
    1,
  );
  ops.next.push(...Array.from({ length: 30 }, () => ({ status: 404 })));
  await measure(
    "channel-failed",
    "the first channel answers 404 to an alert",
    () => cli("token", "create", "--name", "sooner", "--role", "viewer", "--expires", "9d"),
    0,
    second,
  );
  ops.next.splice(0);
  processes.get("worker")?.kill("SIGSTOP");
  await measure("scheduler-silent", "the worker is stopped (SIGSTOP)", async () => undefined);
  await restartWorker();
  await sleep(30_000); // until it has looked at the schedules again
  await measure("no-worker", "the worker is killed", async () => void processes.get("worker")?.kill("SIGKILL"));
  await measure("audit-broken", "the audit log's end cut off, then a refused request", async () => {
    const record = at("backups/.trivault/audit", `${new Date().toISOString().slice(0, 7)}.jsonl`);
    const text = await readFile(record, "utf8");
    await truncate(record, text.lastIndexOf("\n", text.length - 2) + 1);
    await fetch(`${url}/api/v1/alerts`, { headers: { authorization: "Bearer somebody-else" } });
  });
  await measure("queue-unreachable", "Redis is stopped", () => redis.stop());
  for (const child of processes.values()) child.kill("SIGKILL");
  const calls = deadMan.received.length;
  await sleep(SILENCE_MS);
  console.log(
    `\nDead man's switch: ${calls} calls while the cluster lived, ${deadMan.received.length - calls} in ${SILENCE_MS / 1000} s after it was killed.`,
  );
}

/** `skip`: so many messages of that rule came before. */
async function measure(
  rule: string,
  injected: string,
  inject: () => Promise<unknown>,
  skip = 0,
  receiver = ops,
): Promise<void> {
  if (only.length > 0 && !only.includes(rule)) return;
  const arrived = () =>
    receiver.received.filter(({ body }) => {
      const { id = "", severity = "" } = JSON.parse(body) as { id?: string; severity?: string };
      return new RegExp(`^${rule}-[0-9a-f]{8}\\.`).test(id) && severity !== "resolved";
    }).length;
  const before = Math.max(arrived(), skip);
  const begun = performance.now();
  await inject();
  while (arrived() <= before && performance.now() - begun < LONGEST_MS) await sleep(20);
  const seconds = arrived() > before ? (performance.now() - begun) / 1000 : null;
  rows.push({ rule, injected, seconds });
  console.log(
    `${rule.padEnd(18)} ${injected.padEnd(46)} ${seconds === null ? "did not arrive" : `${seconds.toFixed(1)} s`}`,
  );
}

function table(): void {
  console.log("\n| rule | injected | seconds to the delivered message |\n| --- | --- | ---: |");
  for (const { rule, injected, seconds } of rows) {
    console.log(`| \`${rule}\` | ${injected} | ${seconds === null ? "did not arrive" : seconds.toFixed(1)} |`);
  }
}

interface Settings {
  readonly local?: string;
  readonly thresholds?: string;
  readonly objective?: string;
  readonly last?: number;
}

/** A changed file is taken up within seconds. */
async function configure({
  local = "{}",
  thresholds = "{}",
  objective = "30d",
  last = 30,
}: Settings = {}): Promise<void> {
  const tier = (name: string, index: number) =>
    `  ${name}: { kind: sftp, host: 127.0.0.1, port: ${lines[index]?.port ?? 0}, user: ${sshd.user}, keyFile: ${sshd.keyFile}, directory: ${path.posix.join(sshd.directory, name)}, hostKey: "${sshd.fingerprint}" }`;
  const database = (url: string) => `{ url: "${url}", objective: ${objective}, schedule: "0 0 1 1 *" }`;
  await writeFile(
    file,
    `retention: { last: ${last} }
tiers:
  local: ${local}
${tier("remote", 0)}
${tier("cold", 1)}
databases:
  shop: ${database(shop)}
  ghost: ${database(ghost)}
alerts:
  channels:
    ops: { kind: webhook, url: "${ops.url}" }
    second: { kind: webhook, url: "${second.url}" }
  deadMan: { url: "${deadMan.url}/x", every: 1m }
  thresholds: ${thresholds}
`,
    { mode: 0o600 },
  );
}

async function restartWorker(settings: Readonly<Record<string, string>> = {}): Promise<void> {
  const old = processes.get("worker");
  old?.kill("SIGCONT");
  old?.kill("SIGTERM");
  if (old?.exitCode === null && old.signalCode === null) await once(old, "exit");
  start("worker", "apps/worker/src/main.js", settings);
}

function start(name: string, script: string, settings: Readonly<Record<string, string>> = {}): ChildProcess {
  const child = spawn(process.execPath, [path.join(ROOT, script)], {
    env: { ...env, ...settings },
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"],
  });
  processes.set(name, child);
  return child;
}

async function startApi(): Promise<string> {
  const child = start("api", "apps/api/src/main.js");
  const url = `http://127.0.0.1:${port}`;
  while (child.exitCode === null) {
    const ready = await fetch(`${url}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (ready) return url;
    await sleep(100);
  }
  throw new Error("the API ended");
}

async function cli(...args: string[]): Promise<void> {
  const child = spawn(process.execPath, [path.join(ROOT, "apps/cli/src/main.js"), ...args], {
    env,
    cwd: folder,
    stdio: "ignore",
  });
  const code = await new Promise((resolve) => void child.once("exit", resolve));
  if (code !== 0) throw new Error(`trivault ${args.join(" ")} ended with ${String(code)}`);
}

async function request(url: string, database: string): Promise<void> {
  const answer = await fetch(`${url}/api/v1/backups`, {
    method: "POST",
    headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
    body: JSON.stringify({ database }),
  });
  requested.set(database, (requested.get(database) ?? 0) + 1);
  if (!answer.ok) throw new Error(`POST /api/v1/backups: ${answer.status} ${await answer.text()}`);
}

/** One that is on all tiers when this comes back. */
async function backup(url: string, database: string): Promise<void> {
  await request(url, database);
  await sleep(1000);
  await settled(url, database);
}

async function settled(url: string, database = "shop"): Promise<void> {
  const wanted = requested.get(database) ?? 0;
  const headers = { authorization: `Bearer ${TOKEN}` };
  const begun = performance.now();
  while (performance.now() - begun < LONGEST_MS) {
    const answer = await fetch(`${url}/api/v1/backups?database=${database}&fresh=true`, { headers });
    const { backups } = (await answer.json()) as { backups: { copies: { complete: boolean }[] }[] };
    if (
      backups.length >= wanted &&
      backups.every(({ copies }) => copies.length === 3 && copies.every(({ complete }) => complete))
    ) {
      return;
    }
    await sleep(500);
  }
  throw new Error("a backup did not get onto all tiers");
}

async function newestSegment(): Promise<string> {
  const newest = (await readdir(at("backups/shop"))).toSorted().at(-1) ?? "";
  return at("backups/shop", newest, "data-000001.zst");
}

async function flipBit(segment: string): Promise<void> {
  const handle = await open(segment, "r+");
  const byte = Buffer.alloc(1);
  await handle.read(byte, 0, 1, 100);
  await handle.write(Buffer.from([(byte[0] ?? 0) ^ 1]), 0, 1, 100);
  await handle.close();
}

/** As a process of another host would beat, whose clock is wrong. */
async function beatAhead(): Promise<void> {
  const beats = at("backups/.trivault/heartbeats");
  await mkdir(beats, { recursive: true });
  const beat = async () => {
    const ahead = new Date(Date.now() + 120_000).toISOString();
    const about = { host: "skewed", pid: 1, service: "monitor", version: "0.1.0", queues: [] };
    const clock = { startedAt: ahead, at: ahead, schedulesLookedAt: null, redisDriftSeconds: null };
    await writeFile(path.join(beats, "skewed.1.0.json"), JSON.stringify({ ...about, ...clock }));
  };
  await beat();
  const timer = setInterval(() => void beat(), 10_000).unref();
  setTimeout(() => clearInterval(timer), 150_000).unref();
}
