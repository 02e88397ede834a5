// node scripts/compose-check.mjs
//
// Runs docker-compose.yml for real, in a project of its own: three workers and the demo profile's servers, a backup into
// three tiers, a restore from each compared with the source byte by byte, a worker killed in the middle of a dump, and all
// of them in the middle of the copies. Needs Docker with Compose v2.20 or newer, and some minutes; removes its containers
// and volumes at the end. The images stay, for the next time. BUILD_NETWORK=host where builds need the host's network.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const PROJECT = ["-p", `trivault-check-${process.pid}`, "--env-file", "/dev/null", "--profile", "demo"];
const TIERS = ["local", "remote", "cloud"];
const SERVER = "postgresql://demo:demo@demo-postgres";
const TAKEOVER_SECONDS = 10;
const PATIENCE_MS = 300_000;

// Nothing of the operator's own settings: the demo writes those that count.
const env = Object.fromEntries(Object.entries(process.env).filter(([n]) => !/^(BACKUP|WORKER|AWS|DATABASE)_/.test(n)));
Object.assign(env, { BACKUP_API_PORT: "0", DEMO_MEGABYTES: "400", WORKER_TAKEOVER_SECONDS: `${TAKEOVER_SECONDS}` });

const begun = performance.now();
const say = (line) => console.log(`${((performance.now() - begun) / 1000).toFixed(0).padStart(4)} s  ${line}`);
const step = (line) => say(`— ${line}`);

function docker(args, options = {}) {
  const { status, stdout, error } = spawnSync("docker", args, {
    cwd: ROOT,
    env,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    ...options,
  });
  if (status !== 0) throw new Error(`docker ${args.join(" ")}: ${error?.message ?? `ended with ${status}`}`);
  return (stdout ?? "").trim();
}
const compose = (...args) => docker(["compose", ...PROJECT, ...args]);
const loud = (...args) => docker(["compose", ...PROJECT, "--progress", "plain", ...args], { stdio: ["ignore", 2, 2] });
const workers = () => compose("ps", "--quiet", "worker").split("\n").filter(Boolean);

async function until(what, look) {
  const from = performance.now();
  for (;;) {
    const found = await look();
    if (found) return found;
    if (performance.now() - from > PATIENCE_MS) throw new Error(`waited ${PATIENCE_MS / 1000} s in vain: ${what}`);
    await sleep(100);
  }
}

/** The API as it is published on this machine. */
function openApi() {
  const url = `http://${compose("port", "api", "3000")}`;
  const authorization = `Bearer ${compose("exec", "-T", "demo", "cat", "/etc/trivault/api-token")}`;
  return async (method, path, body) => {
    const headers = { authorization, ...(body ? { "content-type": "application/json" } : {}) };
    const response = await fetch(url + path, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
    const answer = await response.json();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
    return answer;
  };
}

async function settled(api, id) {
  const isSettled = ({ status }) => status !== "queued" && status !== "running";
  const show = async () => api("GET", `/api/v1/backups/${id}`);
  const backup = await until(`backup ${id} comes to its end`, async () => {
    const now = await show();
    return isSettled(now) && now;
  });
  const complete = backup.copies.filter((copy) => copy.complete).map(({ tier }) => tier);
  if (backup.status !== "completed" || TIERS.some((tier) => !complete.includes(tier))) {
    throw new Error(`backup ${id} did not reach every tier: ${JSON.stringify(backup)}`);
  }
  say(`${backup.backupId} is complete on ${complete.join(", ")}: ${(backup.copies[0].bytes / 1e6).toFixed(1)} MB`);
  return backup;
}

/** What pg_dump, which has no part in how a backup is stored, says of a database; the same text means the same content. */
async function contentOf(database) {
  const dump = ["pg_dump", "--restrict-key=check", "--host=127.0.0.1", "--username=demo", database];
  const args = ["compose", ...PROJECT, "exec", "-T", "-e", "PGPASSWORD=demo", "demo-postgres", ...dump];
  const child = spawn("docker", args, { cwd: ROOT, env, stdio: ["ignore", "pipe", "inherit"] });
  const exit = new Promise((resolve) => child.once("close", resolve));
  const hash = createHash("sha256");
  await pipeline(child.stdout, hash);
  if ((await exit) !== 0) throw new Error(`pg_dump of ${database} failed`);
  return hash.digest("hex");
}

async function restoreAndCompare(backupId, from) {
  const name = `restored_${from}_${backupId.replaceAll("-", "_")}`;
  const where = ["--database", "shop", "--backup", backupId, "--from", from, "--target", `${SERVER}/${name}`];
  const restore = ["npm", "run", "backup:restore", "--", ...where, "--json"];
  const { seconds, segmentsFrom } = JSON.parse(compose("exec", "-T", "worker", ...restore));
  if ((await contentOf(name)) !== (await contentOf("shop"))) throw new Error(`what came from ${from} differs`);
  say(
    `restored from ${from} in ${seconds.toFixed(1)} s (segments: ${JSON.stringify(segmentsFrom)}): equal to the source`,
  );
}

const stageOf = (backup, name) => backup.stages.find(({ stage }) => stage === name);

async function killWhileDumping(api) {
  const { id } = await api("POST", "/api/v1/backups", { database: "shop" });
  await until("the dump is under way", async () => {
    const dump = stageOf(await api("GET", `/api/v1/backups/${id}`), "dump");
    if (dump?.state === "completed") throw new Error("the dump was over before its worker could be killed");
    return dump?.progress?.bytes > 0;
  });
  const victim = workers().find((worker) => docker(["top", worker]).includes("pg_dump"));
  if (!victim) throw new Error("no worker runs pg_dump");
  docker(["kill", "--signal", "KILL", victim]);
  say("killed -9 the worker whose pg_dump was running; two are left");
  const killed = performance.now();
  const { backupId } = await settled(api, id);
  if (backupId === id) throw new Error("the dump whose worker was killed cannot have become a backup");
  say(`its dump was given up and made again by another worker, ${seconds(killed)} after the kill`);
}

async function killWhileCopying(api) {
  const { id } = await api("POST", "/api/v1/backups", { database: "shop" });
  const copies = await until("copies are under way", async () => {
    const backup = await api("GET", `/api/v1/backups/${id}`);
    if (backup.status === "completed") throw new Error("the copies were over before the workers could be killed");
    const dumped = stageOf(backup, "dump")?.state === "completed";
    return dumped && backup.stages.filter(({ tier, progress }) => tier !== null && progress?.segments > 0);
  });
  docker(["kill", "--signal", "KILL", ...workers()]);
  say(`killed -9 every worker, with ${copies.map((c) => `${c.progress.segments} segments on ${c.tier}`).join(", ")}`);
  const killed = performance.now();
  compose("up", "--detach", "--no-recreate", "--scale", "worker=3", "worker");
  await settled(api, id);
  say(`started again, they went on where they had stopped, ${seconds(killed)} after the kill`);
}

/** Once a dead attempt has been silent for three take-over times, maintenance (at every start) removes what it left. */
async function nothingLeftOver(api) {
  await sleep(3 * TAKEOVER_SECONDS * 1000);
  compose("restart", "worker");
  await until("remains are swept", async () => {
    const { backups } = await api("GET", "/api/v1/backups");
    const whole = backups.every(({ copies }) => copies.length === 3 && copies.every(({ complete }) => complete));
    const look = ["find", "/spool", "/backups/.trivault/runs", "-mindepth", "1"];
    return (
      whole && compose("exec", "-T", "worker", ...look) === "" && (say(`${backups.length} backups, all whole`), true)
    );
  });
  say("no incomplete copy on any tier, no run left, the spool is empty");
}

const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(0)} s`;

function cleanUp() {
  spawnSync("docker", ["compose", ...PROJECT, "down", "--volumes", "--timeout", "10"], { cwd: ROOT, env });
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.once(signal, () => {
    cleanUp();
    process.exit(1);
  });
}
try {
  step("images");
  loud("build");
  step("three workers and the demo's servers");
  loud("up", "--detach", "--wait", "--scale", "worker=3");
  const api = openApi();
  const [first] = await until("the demo's backup is asked for", async () => {
    const { backups } = await api("GET", "/api/v1/backups");
    return backups.length > 0 && backups;
  });
  await settled(api, first.id);
  step("restore from each tier");
  for (const tier of TIERS) await restoreAndCompare(first.id, tier);
  step("kill a worker in the middle of a dump");
  await killWhileDumping(api);
  step("kill all workers in the middle of the copies");
  await killWhileCopying(api);
  await nothingLeftOver(api);
  const { backups } = await api("GET", "/api/v1/backups");
  step("restore what was made through the kills");
  for (const { id } of backups.slice(0, 2)) await restoreAndCompare(id, "any");
  say("all as it should be");
} catch (error) {
  say(`FAILED: ${error.message}`);
  spawnSync("docker", ["compose", ...PROJECT, "logs", "--tail", "40"], { cwd: ROOT, env, stdio: ["ignore", 2, 2] });
  process.exitCode = 1;
} finally {
  cleanUp();
}
