import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { connectRedis, privateRedisUrl } from "@trivault/queue";
import { freePort, makeTempDir, type RedisServer, startRedis, type TempDir } from "@trivault/testkit";

/** The programs themselves, as `npm start` and `npm run api` run them. */
const SOURCES = path.resolve("apps/api/src");
const TOKEN = "a-token-of-the-tests-0123456789";
const HEADERS = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };
const POST = { method: "POST", headers: HEADERS, body: JSON.stringify({ database: "shop" }) };

let dir: TempDir;
const children: ChildProcess[] = [];
beforeEach(async () => {
  dir = await makeTempDir("tv-start");
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  // A program killed so leaves its Redis, which is there only after a test that failed.
  await pidOfPrivateRedis().then(
    (pid) => process.kill(pid),
    () => undefined,
  );
  await dir.remove();
});

interface Program {
  readonly child: ChildProcess;
  readonly ended: Promise<{ code: number | null; stdout: string; stderr: string }>;
  said(pattern: RegExp): Promise<RegExpExecArray>;
}

/** Starts it in a folder of its own, so that no `.env` is read, with nothing but these settings. */
function run(file: string, settings: Readonly<Record<string, string>>): Program {
  const child = spawn(process.execPath, [path.join(SOURCES, file)], {
    cwd: dir.path,
    env: {
      PATH: process.env["PATH"],
      DATABASE_URL: "postgresql://user:db-password@127.0.0.1:1/shop",
      BACKUP_DIR: path.join(dir.path, "backups"),
      BACKUP_SPOOL_DIR: path.join(dir.path, "spool"),
      BACKUP_ENCRYPTION: "none",
      BACKUP_SCHEDULE: "off",
      BACKUP_API_PORT: "0",
      BACKUP_API_TOKEN: TOKEN,
      WORKER_GRACE_SECONDS: "1",
      ...settings,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.push(child);
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  return {
    child,
    ended: once(child, "close").then(([code]: (number | null)[]) => ({ code: code ?? null, stdout, stderr })),
    async said(pattern) {
      for (let tries = 0; tries < 600; tries++) {
        const match = pattern.exec(stdout + stderr);
        if (match) return match;
        if (child.exitCode !== null) break;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      throw new Error(`It never said ${pattern}:\n${stdout}${stderr}`);
    },
  };
}

async function pidOfPrivateRedis(): Promise<number> {
  const redis = connectRedis(await privateRedisUrl(path.join(dir.path, "backups")), "fail-fast");
  try {
    return Number(/^process_id:(\d+)/m.exec(await redis.info("server"))?.[1]);
  } finally {
    redis.disconnect();
  }
}

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe("npm start", () => {
  test("runs everything with a Redis of its own, and ends with 0 leaving none of it behind", async () => {
    const program = run("start.js", {});
    const [, base = ""] = await program.said(
      /Dashboard +(http:\S+)\/\n +API +http:\S+\/api\/v1\/backups\n +Bull Board +http:\S+\/queues\n/,
    );
    const answer = await fetch(`${base}/api/v1/backups`, POST);
    expect(answer.status).toBe(202);
    expect((await fetch(`${base}/healthz`)).status).toBe(200);
    const redis = await pidOfPrivateRedis();
    expect(isAlive(redis)).toBe(true);

    // No database listens on port 1: that the job says so shows that a worker took it.
    const location = base + (answer.headers.get("location") ?? "");
    const problem = async () => {
      const shown = await (await fetch(location, { headers: HEADERS })).json();
      return (shown as { stages: { problem: string | null }[] }).stages[0]?.problem ?? null;
    };
    while ((await problem()) === null) await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await problem()).toMatch(/127\.0\.0\.1/);

    program.child.kill("SIGTERM");
    const { code, stdout, stderr } = await program.ended;
    expect(code).toBe(0);
    expect(isAlive(redis)).toBe(false);
    expect(stdout + stderr).not.toContain(TOKEN);
    expect(stdout + stderr).not.toContain("db-password");
  }, 60_000);

  test("takes a changed configuration file up, under the same address", async () => {
    const file = path.join(dir.path, "trivault.config.yaml");
    await writeFile(file, 'databases: { one: { url: "postgresql://h/one", schedule: off } }', { mode: 0o600 });
    const program = run("start.js", { DATABASE_URL: "" });
    const [, base = ""] = await program.said(/API +(http:\S+)\/api\/v1\/backups\n/);
    const request = async (database: string) =>
      (await fetch(`${base}/api/v1/backups`, { ...POST, body: JSON.stringify({ database }) })).status;
    expect([await request("one"), await request("two")]).toEqual([202, 404]);
    await writeFile(file, 'databases: { two: { url: "postgresql://h/two", schedule: off } }');
    await program.said(/the changed configuration is in force/);
    expect([await request("one"), await request("two")]).toEqual([404, 202]);
    program.child.kill("SIGTERM");
    expect((await program.ended).code).toBe(0);
  }, 60_000);

  test("killed and started again at once, it has a Redis of its own and the jobs of before", async () => {
    const first = run("start.js", {});
    const [, before = ""] = await first.said(/API +(http:\S+)\/api\/v1\/backups\n/);
    const { headers } = await fetch(`${before}/api/v1/backups`, POST);
    const redis = await pidOfPrivateRedis();
    first.child.kill("SIGKILL");
    const second = run("start.js", {});
    const [, base = ""] = await second.said(/API +(http:\S+)\/api\/v1\/backups\n/);
    expect(isAlive(redis)).toBe(false);
    expect((await fetch(base + (headers.get("location") ?? ""), { headers: HEADERS })).status).toBe(200);
    second.child.kill("SIGTERM");
    expect((await second.ended).code).toBe(0);
    await expect(pidOfPrivateRedis()).rejects.toThrow();
  }, 60_000);

  test("uses the Redis of REDIS_URL, and starts and ends none", async () => {
    await using server = await startRedis();
    const program = run("start.js", { REDIS_URL: server.url });
    await program.said(/Bull Board/);
    await expect(pidOfPrivateRedis()).rejects.toThrow();
    program.child.kill("SIGINT");
    expect((await program.ended).code).toBe(0);
    expect(isAlive(server.pid)).toBe(true);
  }, 60_000);

  test("9.C19 makes a token at the first start, says where it lies, and lets nobody in without it", async () => {
    const program = run("start.js", { BACKUP_API_TOKEN: "" });
    const [, base = ""] = await program.said(/Dashboard +(http:\S+)\//);
    const [, file = ""] = await program.said(/Admin token (\S+)/);
    expect(file).toBe(path.join(dir.path, "backups/.trivault/admin-token"));
    expect((await fetch(`${base}/api/v1/backups`)).status).toBe(401);
    const headers = { authorization: `Bearer ${(await readFile(file, "utf8")).trim()}` };
    expect((await fetch(`${base}/api/v1/backups`, { headers })).status).toBe(200);
    program.child.kill("SIGTERM");
    const { code, stdout, stderr } = await program.ended;
    expect(code).toBe(0);
    expect(stdout + stderr).not.toContain("tv_");
  }, 60_000);

  test("refuses to be reached from afar without a token, in one paragraph, and leaves no Redis", async () => {
    const program = run("start.js", { BACKUP_API_HOST: "0.0.0.0", BACKUP_API_TOKEN: "" });
    const { code, stdout, stderr } = await program.ended;
    expect(code).toBe(1);
    expect(stdout).toBe("");
    expect(paragraphOf(stderr)).toMatch(/0\.0\.0\.0 without a token.*BACKUP_API_TOKEN/);
    await expect(pidOfPrivateRedis()).rejects.toThrow();
  }, 60_000);

  test("a port that is taken is reported, and all that was started ends", async () => {
    const port = await freePort();
    const taken = createServer().listen(port, "127.0.0.1");
    await once(taken, "listening");
    const { code, stderr } = await run("start.js", { BACKUP_API_PORT: String(port) }).ended;
    taken.close();
    expect(code).toBe(1);
    expect(paragraphOf(stderr)).toMatch(/EADDRINUSE.*BACKUP_API_PORT/);
    await expect(pidOfPrivateRedis()).rejects.toThrow();
  }, 60_000);
});

describe("npm run api", () => {
  let server: RedisServer;
  beforeEach(async () => {
    server = await startRedis();
  });
  afterEach(() => server.stop());

  test("listens, enqueues for workers elsewhere, and ends with 0", async () => {
    const program = run("main.js", { REDIS_URL: server.url });
    const [, base = ""] = await program.said(/"url":"(http:[^"]+)","msg":"API ready"/);
    expect((await fetch(`${base}/api/v1/backups`, POST)).status).toBe(202);
    expect((await fetch(`${base}/api/v1/backups`)).status).toBe(401);
    program.child.kill("SIGTERM");
    expect((await program.ended).code).toBe(0);
  }, 60_000);

  test.each([
    ["no REDIS_URL", {}],
    ["a Redis that is not there", { REDIS_URL: "redis://:pass-word@127.0.0.1:1" }],
  ])(
    "with %s it says so, and answers from files and tiers",
    async (_what, settings) => {
      const program = run("main.js", settings);
      await program.said(/the queue cannot be reached/);
      const [, base = ""] = await program.said(/"url":"(http:[^"]+)","msg":"API ready"/);
      expect((await fetch(`${base}/api/v1/backups`, { headers: HEADERS })).status).toBe(200);
      expect((await fetch(`${base}/api/v1/backups`, POST)).status).toBe(503);
      expect(await (await fetch(base, { headers: HEADERS })).text()).toMatch(/queue cannot be reached/);
      program.child.kill("SIGTERM");
      const { code, stderr } = await program.ended;
      expect(code).toBe(0);
      expect(stderr).not.toContain("pass-word");
    },
    60_000,
  );

  test("enqueues once its Redis is there, which came up after it", async () => {
    const port = await freePort();
    const program = run("main.js", { REDIS_URL: `redis://127.0.0.1:${port}` });
    const [, base = ""] = await program.said(/"url":"(http:[^"]+)","msg":"API ready"/);
    expect((await fetch(`${base}/api/v1/backups`, POST)).status).toBe(503);
    await using _late = await startRedis({ port });
    await program.said(/the queue is reached again/);
    expect((await fetch(`${base}/api/v1/backups`, POST)).status).toBe(202);
    program.child.kill("SIGTERM");
    expect((await program.ended).code).toBe(0);
  }, 60_000);

  test("without REDIS_URL it uses the Redis of `npm start`, where that runs", async () => {
    const whole = run("start.js", {});
    await whole.said(/Bull Board/);
    const program = run("main.js", {});
    const [, base = ""] = await program.said(/"url":"(http:[^"]+)","msg":"API ready"/);
    expect((await fetch(`${base}/api/v1/backups`, POST)).status).toBe(202);
    for (const each of [program, whole]) {
      each.child.kill("SIGTERM");
      expect((await each.ended).code).toBe(0);
    }
  }, 60_000);

  test("refuses a Redis that may throw jobs away", async () => {
    await using unsafe = await startRedis({ args: ["--maxmemory-policy", "allkeys-lru"] });
    const { code, stderr } = await run("main.js", { REDIS_URL: unsafe.url }).ended;
    expect(code).toBe(1);
    expect(paragraphOf(stderr)).toMatch(/allkeys-lru.*noeviction/);
  }, 60_000);
});

/** What it said beside its log, which must be one line: no stack, no second error. */
function paragraphOf(stderr: string): string {
  const lines = stderr.split("\n").filter((line) => line !== "" && !line.startsWith("{"));
  expect(lines).toHaveLength(1);
  return lines[0] ?? "";
}
