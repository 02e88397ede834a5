import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { connectRedis, privateRedisUrl } from "@trivault/queue";
import { freePort, makeTempDir, startRedis, type TempDir, until } from "@trivault/testkit";

/** The programs themselves, as `npm start` and `npm run api` run them. */
const SOURCES = path.resolve("apps/api/src");
const TOKEN = "a-token-of-the-tests-0123456789";
const HEADERS = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };
const API_READY = /"url":"(http:[^"]+)","msg":"API ready"/;
const POST = { method: "POST", headers: HEADERS, body: JSON.stringify({ database: "shop" }) };

let dir: TempDir;
const children: ChildProcess[] = [];
async function makeFolder(): Promise<void> {
  dir = await makeTempDir("tv-start");
}
async function endAll(): Promise<void> {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  // A program killed so leaves its Redis, which is there only after a test that failed.
  await pidOfPrivateRedis().then(
    (pid) => process.kill(pid),
    () => undefined,
  );
  await dir.remove();
}

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
      const seen = await until(() => pattern.exec(stdout + stderr) ?? (child.exitCode !== null && "it ended"), {
        describe: () => `${pattern} in:\n${stdout}${stderr}`,
      });
      if (typeof seen === "object") return seen;
      throw new Error(`It never printed ${pattern}:\n${stdout}${stderr}`);
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

/** What can be seen of one that was started once, in this order; each of these starts would take a second of computing. */
describe("npm start, once", () => {
  let program: Program;
  let base: string;
  let file: string;
  beforeAll(async () => {
    dir = await makeTempDir("tv-start");
    file = path.join(dir.path, "trivault.config.yaml");
    await configure("one", "shop");
    program = run("start.js", SETTINGS);
    [, base = ""] = await program.said(
      /Dashboard +(http:\S+)\/\n +API +http:\S+\/api\/v1\/backups\n +Bull Board +http:\S+\/queues\n/,
    );
    token = (await readFile(tokenFile(), "utf8")).trim();
  });
  afterAll(endAll);

  const SETTINGS = { DATABASE_URL: "", BACKUP_API_TOKEN: "" };
  const tokenFile = () => path.join(dir.path, "backups/.trivault/admin-token");
  let token: string;
  const configure = (...names: string[]) => {
    const database = { url: "postgresql://user:db-password@127.0.0.1:1/x", schedule: "off" };
    const databases = Object.fromEntries(names.map((name) => [name, database]));
    return writeFile(file, JSON.stringify({ databases }), { mode: 0o600 });
  };
  const ask = (at: string, body?: object) =>
    fetch(new URL(at, base), {
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body && { method: "POST", body: JSON.stringify(body) }),
    });
  const request = (database: string) => ask("/api/v1/backups", { database });

  test("9.C19 makes a token at the first start, says where it lies, and lets nobody in without it", async () => {
    const [, shown = ""] = await program.said(/Admin token (\S+)/);
    expect(shown).toBe(tokenFile());
    expect((await fetch(`${base}/api/v1/backups`)).status).toBe(401);
    expect((await ask("/api/v1/backups")).status).toBe(200);
  });

  test("runs everything with a Redis of its own", async () => {
    const answer = await request("one");
    expect(answer.status).toBe(202);
    expect((await fetch(`${base}/healthz`)).status).toBe(200);
    expect(isAlive(await pidOfPrivateRedis())).toBe(true);
    // No database listens on port 1: that the job says so shows that a worker took it.
    const problem = await until(async () => {
      const shown = await (await ask(answer.headers.get("location") ?? "")).json();
      return (shown as { stages: { problem: string | null }[] }).stages[0]?.problem;
    });
    expect(problem).toMatch(/127\.0\.0\.1/);
  });

  test("`npm run api` without REDIS_URL uses that Redis", async () => {
    const api = run("main.js", { DATABASE_URL: "" });
    const [, other = ""] = await api.said(API_READY);
    expect((await fetch(`${other}/api/v1/backups`, POST)).status).toBe(202);
    expect((await fetch(`${other}/api/v1/backups`)).status).toBe(401);
    api.child.kill("SIGTERM");
    expect((await api.ended).code).toBe(0);
  });

  test("takes a changed configuration file up, under the same address", async () => {
    await configure("two", "three");
    await program.said(/the changed configuration is in force/);
    expect([(await request("one")).status, (await request("two")).status]).toEqual([404, 202]);
  });

  test("killed and started again at once, it has the jobs of before and a Redis of its own, and leaves nothing behind", async () => {
    const location = (await request("three")).headers.get("location") ?? "";
    const redis = await pidOfPrivateRedis();
    program.child.kill("SIGKILL");
    const second = run("start.js", SETTINGS);
    [, base = ""] = await second.said(/API +(http:\S+)\/api\/v1\/backups\n/);
    expect(isAlive(redis)).toBe(false);
    expect((await ask(location)).status).toBe(200);
    const redisOfSecond = await pidOfPrivateRedis();
    second.child.kill("SIGTERM");
    for (const { ended } of [program, second]) {
      const { stdout, stderr } = await ended;
      expect(stdout + stderr).not.toContain(token);
      expect(stdout + stderr).not.toContain("db-password");
    }
    expect((await second.ended).code).toBe(0);
    expect(isAlive(redisOfSecond)).toBe(false);
    await expect(pidOfPrivateRedis()).rejects.toThrow();
  });
});

describe("npm start", () => {
  beforeEach(makeFolder);
  afterEach(endAll);

  test("uses the Redis of REDIS_URL, and starts and ends none", async () => {
    await using server = await startRedis();
    const program = run("start.js", { REDIS_URL: server.url });
    await program.said(/Bull Board/);
    await expect(pidOfPrivateRedis()).rejects.toThrow();
    program.child.kill("SIGINT");
    const { code, stdout, stderr } = await program.ended;
    expect(code).toBe(0);
    expect(isAlive(server.pid)).toBe(true);
    expect(stdout + stderr).not.toContain(TOKEN);
  });

  test("refuses to be reached from afar without a token, in one paragraph, and leaves no Redis", async () => {
    const program = run("start.js", { BACKUP_API_HOST: "0.0.0.0", BACKUP_API_TOKEN: "" });
    const { code, stdout, stderr } = await program.ended;
    expect(code).toBe(1);
    expect(stdout).toBe("");
    expect(paragraphOf(stderr)).toMatch(/0\.0\.0\.0 without a token.*BACKUP_API_TOKEN/);
    await expect(pidOfPrivateRedis()).rejects.toThrow();
  });

  test("a port that is taken is reported, and all that was started ends", async () => {
    const port = await freePort();
    const taken = createServer().listen(port, "127.0.0.1");
    await once(taken, "listening");
    const { code, stderr } = await run("start.js", { BACKUP_API_PORT: String(port) }).ended;
    taken.close();
    expect(code).toBe(1);
    expect(paragraphOf(stderr)).toMatch(/EADDRINUSE.*BACKUP_API_PORT/);
    await expect(pidOfPrivateRedis()).rejects.toThrow();
  });
});

describe("npm run api", () => {
  beforeEach(makeFolder);
  afterEach(endAll);

  /** It answers from files and tiers, and 503 to what needs the queue. */
  async function expectWithoutQueue(program: Program): Promise<string> {
    await program.said(/the queue cannot be reached/);
    const [, base = ""] = await program.said(API_READY);
    expect((await fetch(`${base}/api/v1/backups`, { headers: HEADERS })).status).toBe(200);
    expect((await fetch(`${base}/api/v1/backups`, POST)).status).toBe(503);
    expect(await (await fetch(base, { headers: HEADERS })).text()).toMatch(/queue cannot be reached/);
    return base;
  }

  test("with no REDIS_URL it says so, and answers from files and tiers", async () => {
    const program = run("main.js", {});
    await expectWithoutQueue(program);
    program.child.kill("SIGTERM");
    expect((await program.ended).code).toBe(0);
  });

  test("with a Redis that is not there it does as well; enqueues for workers elsewhere once it is; ends with 0", async () => {
    const port = await freePort();
    const program = run("main.js", { REDIS_URL: `redis://:pass-word@127.0.0.1:${port}` });
    const base = await expectWithoutQueue(program);
    await using _late = await startRedis({ port, args: ["--requirepass", "pass-word"] });
    await program.said(/the queue is reached again/);
    expect((await fetch(`${base}/api/v1/backups`, POST)).status).toBe(202);
    expect((await fetch(`${base}/api/v1/backups`)).status).toBe(401);
    program.child.kill("SIGTERM");
    const { code, stderr } = await program.ended;
    expect(code).toBe(0);
    expect(stderr).not.toContain("pass-word");
  });

  test("refuses a Redis that may throw jobs away", async () => {
    await using unsafe = await startRedis({ args: ["--maxmemory-policy", "allkeys-lru"] });
    const { code, stderr } = await run("main.js", { REDIS_URL: unsafe.url }).ended;
    expect(code).toBe(1);
    expect(paragraphOf(stderr)).toMatch(/allkeys-lru.*noeviction/);
  });
});

/** What it said beside its log, which must be one line: no stack, no second error. */
function paragraphOf(stderr: string): string {
  const lines = stderr.split("\n").filter((line) => line !== "" && !line.startsWith("{"));
  expect(lines).toHaveLength(1);
  return lines[0] ?? "";
}
