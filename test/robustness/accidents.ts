import { statfs, rm } from "node:fs/promises";
import { execFile } from "node:child_process";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { connectRedis } from "@trivault/queue";
import type { HttpFault } from "@trivault/testkit";
import { backupKey, MANIFEST, messageOf } from "@trivault/core";
import { oneOf } from "../support/random.ts";
import { putBytes, STRANGE_ID } from "./objects.ts";
import { DATABASES } from "./world.ts";
import type { Accident, Aftermath, Context } from "./context.ts";

const run = promisify(execFile);
/** Longer than a worker may be silent (WORKER_TAKEOVER_SECONDS of the world). */
const BEYOND_TAKEOVER_MS = 7000;
const HOUR_MS = 3_600_000;
const MOST_HOURS = 6;
/** What a full disk has left. */
const LEFT_BYTES = 16 * 1024;

const READS = new Set(["GET", "HEAD"]);
const FAULTS: readonly (HttpFault & { readonly name: string })[] = [
  { name: "answers 503 to everything", answer: { status: 503, code: "SlowDown" } },
  { name: "answers 403 to everything", answer: { status: 403, code: "AccessDenied" } },
  { name: "answers 503 to reads", when: (method) => READS.has(method), answer: { status: 503, code: "SlowDown" } },
  {
    name: "answers 403 to GET of manifests",
    when: (method, url) => method === "GET" && url.includes("manifest.json"),
    answer: { status: 403, code: "AccessDenied" },
  },
  { name: "answers 403 to PUT", when: (method) => method === "PUT", answer: { status: 403, code: "AccessDenied" } },
  {
    name: "answers 503 to DELETE",
    when: (method) => method === "DELETE" || method === "POST",
    answer: { status: 503, code: "SlowDown" },
  },
  { name: "answers 500 to PUT", when: (method) => method === "PUT", answer: { status: 500, code: "InternalError" } },
  { name: "is slow", delayMs: 400 },
];

export const ACCIDENTS: readonly Accident[] = [
  {
    name: "kill -9 of a worker",
    weight: 20,
    async run({ staff, random }) {
      const worker = oneOf(random, staff.workers);
      await worker?.kill();
      return { text: worker?.name ?? "" };
    },
  },
  {
    name: "kill -9 of all workers",
    weight: 4,
    async run({ staff }) {
      await Promise.all(staff.workers.map((worker) => worker.kill()));
      return { text: "" };
    },
  },
  {
    name: "kill -9 of the API",
    weight: 3,
    async run({ staff }) {
      await staff.api.kill();
      return { text: "" };
    },
  },
  {
    name: "kill -9 of the command",
    weight: 6,
    run: async ({ staff }) => ({ text: `${staff.killClis()} killed` }),
  },
  {
    name: "a worker stands still",
    weight: 5,
    async run({ staff, random }) {
      const worker = oneOf(random, staff.workers);
      worker?.signal("SIGSTOP");
      await sleep(BEYOND_TAKEOVER_MS + random() * 2000);
      worker?.signal("SIGCONT");
      return { text: worker?.name ?? "" };
    },
  },
  {
    name: "BACKUP_DIR is full",
    weight: 6,
    run: ({ world, random }) => fill(world.backupDir, world.canFill, random() * 2),
  },
  {
    name: "the spool is full",
    weight: 3,
    run: ({ world, random }) => fill(world.spoolDir, world.canFill, random() * 2),
  },
  {
    name: "Redis restarts",
    weight: 6,
    async run({ world, random }) {
      const signal = random() < 0.5 ? "SIGTERM" : "SIGKILL";
      const awayMs = Math.floor(random() * 4000);
      await world.redis.restart(signal, awayMs);
      return { text: `by ${signal}, away for ${awayMs} ms` };
    },
  },
  { name: "Redis is wiped", weight: 4, run: wipeRedis },
  {
    name: "the SSH server is down",
    weight: 6,
    async run({ world }) {
      await world.sftp.down();
      return { text: "", end: () => world.sftp.up() };
    },
  },
  {
    name: "SSH connections are cut",
    weight: 4,
    async run({ world, random }) {
      const bytes = Math.floor(random() * 500_000);
      world.sftp.cutAfter(bytes);
      return { text: `after ${bytes} bytes` };
    },
  },
  {
    name: "S3",
    weight: 10,
    async run({ world, random }) {
      const fault = oneOf(random, FAULTS) ?? null;
      world.s3.fail(fault);
      return { text: fault?.name ?? "", end: async () => world.s3.fail(null) };
    },
  },
  { name: "a stranger writes to a tier", weight: 4, run: strange },
  {
    name: "sessions of PostgreSQL are terminated",
    weight: 6,
    async run({ world }) {
      const ended = await world.postgres.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'trivault'",
      );
      return { text: `${ended.length} of them` };
    },
  },
  {
    name: "the clock jumps",
    weight: 6,
    async run({ world, random }) {
      const ms = Math.round((random() * 2 - 1) * MOST_HOURS * HOUR_MS);
      await world.shiftClock(ms);
      return { text: `by ${(ms / HOUR_MS).toFixed(1)} h`, end: () => world.shiftClock(0) };
    },
  },
];

/** A backup that claims to be newer than all others, without a signature. No command may take it for one of ours. */
async function strange({ world, random }: Context): Promise<Aftermath> {
  const tier = oneOf(random, world.tiers);
  const database = oneOf(random, DATABASES) ?? "alpha";
  const key = backupKey(database, STRANGE_ID, MANIFEST);
  const bytes = Buffer.from(JSON.stringify({ manifest: { version: 1, id: STRANGE_ID, database, segments: [] } }));
  if (tier === undefined) return { text: "there is no tier" };
  await putBytes(tier, key, bytes);
  return { text: `${tier.name}/${key}`, harmless: true, end: () => tier.store.delete(key) };
}

async function wipeRedis({ world }: Context): Promise<Aftermath> {
  const redis = connectRedis(world.redis.url, "fail-fast");
  try {
    await redis.flushall();
  } finally {
    redis.disconnect();
  }
  return { text: "" };
}

/** All that is free, but for a little (or a few segments, so that it gets full in the middle of one). */
async function fill(folder: string, canFill: boolean, segments: number): Promise<Aftermath> {
  if (!canFill) return { text: "not here: mounting a small disk needs root" };
  const ballast = path.join(folder, ".ballast");
  for (;;) {
    const { bavail, bsize } = await statfs(folder);
    const bytes = bavail * bsize - LEFT_BYTES - Math.floor(segments * 256 * 1024);
    try {
      if (bytes > 0) await run("fallocate", ["-l", String(bytes), ballast]);
      return { text: `${bytes} bytes taken`, end: () => rm(ballast, { force: true }) };
    } catch (error) {
      if (!/No space left/.test(messageOf(error))) throw error; // else a backup took some of it meanwhile
    }
  }
}
