// The demo profile's conductor. Makes keys and a sample database at the first start, writes the settings that the API and
// the workers wait for, asks the API for a backup and shows its progress; then stays until it is stopped, and takes the
// settings away again, so that a later start without the profile does not find them.
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { createSampleDatabase } from "@trivault/testkit";
import { Client } from "pg";

const SERVER = "postgresql://demo:demo@demo-postgres";
const API = "http://api:3000";
const FOLDER = "/etc/trivault";
const SETTINGS = `${FOLDER}/env`;
const IDENTITY = `${FOLDER}/identity.txt`;
const TOKEN = `${FOLDER}/api-token`;

const say = (line) => process.stdout.write(`${line}\n`);
const removeSettings = () => rmSync(SETTINGS, { force: true });

if (process.env.OPERATOR_DATABASE_URL !== "") {
  say("DATABASE_URL is set in .env or in the shell. The demo has servers of its own and must not mix them with yours:");
  say("run it as   env -u DATABASE_URL docker compose --env-file /dev/null -p trivault-demo --profile demo up");
  process.exit(1);
}
for (const signal of ["SIGTERM", "SIGINT"]) {
  process.once(signal, () => {
    removeSettings();
    process.exit(0);
  });
}

try {
  makeKeys();
  await makeSampleDatabase(Number(process.env.DEMO_MEGABYTES));
  writeSettings();
  await untilHealthy();
  summarise(await takeBackup());
  setInterval(() => {}, 2 ** 30); // stays until it is stopped
} catch (error) {
  removeSettings();
  throw error;
}

function makeKeys() {
  if (!existsSync(TOKEN)) writeFileSync(TOKEN, randomBytes(24).toString("hex"), { mode: 0o600 });
  if (existsSync(IDENTITY)) return;
  execFileSync("node", ["apps/cli/src/main.js", "keys", "generate", "--identity-file", IDENTITY], { stdio: "ignore" });
}

/** Filled under another name, so that a start cut short leaves no half database behind. */
async function makeSampleDatabase(megabytes) {
  const admin = new Client({ connectionString: `${SERVER}/postgres` });
  await admin.connect();
  const { rowCount } = await admin.query("select from pg_database where datname = 'shop'");
  if (rowCount === 0) {
    say(`Making the sample database "shop", ${megabytes} MB …`);
    await admin.query("drop database if exists shop_unfinished");
    await admin.query("create database shop_unfinished");
    await createSampleDatabase(`${SERVER}/shop_unfinished`, { megabytes });
    await admin.query("alter database shop_unfinished rename to shop");
  }
  await admin.end();
}

function writeSettings() {
  const [, recipient] = /^# public key: (\S+)$/m.exec(readFileSync(IDENTITY, "utf8")) ?? [];
  const settings = {
    DATABASE_URL: `${SERVER}/shop`,
    BACKUP_SCHEDULE: "off",
    BACKUP_REMOTE_SERVER: "demo-sshd:2222",
    BACKUP_SSH_USER: "backup-demo",
    BACKUP_SSH_KEY: `${FOLDER}/id_ed25519`,
    BACKUP_SSH_KNOWN_HOSTS: `${FOLDER}/known_hosts`,
    BACKUP_REMOTE_DIR: "/srv/backups",
    BACKUP_S3_BUCKET: "acme-backups",
    BACKUP_S3_ENDPOINT: "http://demo-s3:9000",
    // This S3 server checks no hashes, knows no If-None-Match, and takes no more than 11 MiB at once.
    BACKUP_S3_VERIFY: "readback",
    BACKUP_S3_CONDITIONAL_PUT: "false",
    BACKUP_SEGMENT_SIZE: "8MiB",
    AWS_ACCESS_KEY_ID: "demo",
    AWS_SECRET_ACCESS_KEY: "demo",
    BACKUP_ENCRYPTION_RECIPIENTS: recipient,
    BACKUP_IDENTITY_FILE: IDENTITY,
    BACKUP_API_TOKEN: readFileSync(TOKEN, "utf8"),
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(`${SETTINGS}.new`, lines.join(""), { mode: 0o600 });
  renameSync(`${SETTINGS}.new`, SETTINGS);
}

async function untilHealthy() {
  for (;;) {
    const response = await fetch(`${API}/healthz`).catch(() => null);
    if (response?.ok) return;
    await sleep(500);
  }
}

async function takeBackup() {
  const { id } = await call("POST", "/api/v1/backups", { database: "shop" });
  say("\nA backup is asked for (POST /api/v1/backups); its progress:");
  const shown = new Map();
  for (;;) {
    const backup = await call("GET", `/api/v1/backups/${id}`);
    for (const { stage, state, problem } of backup.stages) {
      if (shown.get(stage) === state) continue;
      shown.set(stage, state);
      say(`  ${stage.padEnd(13)} ${state}${problem === null ? "" : `: ${problem}`}`);
    }
    if (!["queued", "running"].includes(backup.status)) return backup;
    await sleep(200);
  }
}

async function call(method, path, body) {
  const headers = { authorization: `Bearer ${readFileSync(TOKEN, "utf8")}`, "content-type": "application/json" };
  const response = await fetch(API + path, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.detail);
  return answer;
}

function summarise({ status, backupId, copies }) {
  say(`\nBackup ${backupId}: ${status}`);
  for (const { tier, complete, bytes } of copies) {
    say(`  ${tier.padEnd(7)} ${(bytes / 1e6).toFixed(1).padStart(7)} MB  ${complete ? "complete" : "incomplete"}`);
  }
  if (status !== "completed") throw new Error("The backup is not complete on every tier; see the lines above.");
  say(`
Restore it from a tier (local, remote, cloud) into a new database, in another terminal:

  docker compose -p ${process.env.DEMO_PROJECT} exec worker npm run backup:restore -- --database shop --from cloud \\
    --target ${SERVER}/shop_restored

Look at the jobs:  http://127.0.0.1:${process.env.DEMO_API_PORT}/queues   (any user name; the password is
${readFileSync(TOKEN, "utf8")})

End it with Ctrl-C, and remove all of it with:

  docker compose -p ${process.env.DEMO_PROJECT} --profile demo down --volumes
`);
}
