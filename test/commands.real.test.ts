import { spawn } from "node:child_process";
import { mkdir, readFile, rm } from "node:fs/promises";
import path from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { backupPrefix } from "@trivault/core";
import { DATABASE, startSite, type TestSite, type TestWorker, webShop } from "./support/site.ts";

/** Every command as a new user runs it: npm scripts on a whole site. The steps follow one another, as on a real day. */

const ROOT = path.resolve(import.meta.dirname, "..");

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

let site: TestSite;
let worker: TestWorker | undefined;
const started = new Set<string>();
const printed: string[] = [];

beforeAll(async () => {
  site = await startSite({ fill: webShop(1), env: { BACKUP_RETENTION: "last=2" } });
}, 120_000);
afterAll(async () => {
  await site?.[Symbol.asyncDispose]();
}, 60_000);

async function npm(script: string, args = "", stdin = ""): Promise<Ended> {
  started.add(script);
  const { PATH = "", HOME = "" } = process.env;
  const env = { HOME, ...site.env, PATH: `${path.join(ROOT, "node_modules/.bin")}:${PATH}` };
  const words = args.split(" ").filter((word) => word !== "");
  const child = spawn("npm", ["run", "--silent", script, "--", ...words], { cwd: ROOT, env, stdio: "pipe" });
  child.stdin.end(stdin);
  const exited = new Promise<number | null>((resolve) => void child.once("exit", resolve));
  const [code, stdout, stderr] = await Promise.all([exited, text(child.stdout), text(child.stderr)]);
  printed.push(stdout, stderr);
  return { code, stdout, stderr };
}

/** Its exit code is the one expected, and stdout holds one JSON value. */
async function json(script: string, args = "", code = 0) {
  const ended = await npm(script, `${args} --json`);
  if (ended.code !== code)
    throw new Error(`${script} ${args} ended with ${ended.code}: ${ended.stdout}${ended.stderr}`);
  return JSON.parse(ended.stdout);
}

const remoteFolder = () => path.join(site.env["BACKUP_REMOTE_DIR"] ?? "", DATABASE);

async function newBackup(): Promise<string> {
  const { ok, backupId } = await json("backup:run", "--inline");
  expect(ok).toBe(true);
  return backupId;
}

describe("before the first backup", () => {
  test("keys are generated", async () => {
    const folder = path.join(site.config.backupDir, "..", "new");
    await mkdir(folder);
    const made = await json("backup:keys:generate", `--identity-file ${folder}/identity.txt`);
    expect(await readFile(made.identityFile, "utf8")).toContain(made.recipient);
  });

  test.each([
    ["sync", "remote", 10],
    ["cloud", "cloud", 11],
  ])("%s test: every step of %s holds", async (noun, tier, steps) => {
    const told = await npm(`backup:${noun}:test`);
    expect(told).toMatchObject({ code: 0, stderr: "" });
    expect(told.stdout).toMatch(
      new RegExp(`^${tier}: .*\\n  ok      resolve .*\\n(.*\\n)+${tier}: all ${steps} steps hold\\n$`),
    );
    const { ok, tiers } = await json(`backup:${noun}:test`);
    expect({ ok, tiers }).toMatchObject({ ok: true, tiers: [{ tier, ok: true }] });
    expect(tiers[0].steps).toHaveLength(steps);
  });

  test("lists are empty, and nothing is missing", async () => {
    expect(await npm("backup:sync:list")).toEqual({ code: 0, stdout: "remote holds no backups.\n", stderr: "" });
    expect(await json("backup:cloud:stats")).toMatchObject({
      tiers: [{ tier: "cloud", backups: 0, bytes: 0, newest: null }],
    });
    expect((await npm("backup:cloud:sync", "--dry-run")).stdout).toBe(
      "cloud holds every backup that it shall hold: 0 complete.\n",
    );
  });
});

describe("with workers", () => {
  let first: string;
  beforeAll(async () => {
    worker = await site.startWorker();
  }, 30_000);
  afterAll(() => worker?.kill("SIGTERM"), 30_000);

  test("a backup is made, and every tier lists it", async () => {
    first = (await json("backup:run", "--wait")).backupId;
    for (const [noun, tier] of [
      ["sync", "remote"],
      ["cloud", "cloud"],
    ] as const) {
      expect(await json(`backup:${noun}:list`)).toMatchObject({
        tiers: [{ tier, backups: [{ id: first, database: DATABASE, state: "complete", keep: null }] }],
        unreachable: [],
      });
    }
    const { stdout } = await npm("backup:sync:stats");
    expect(stdout).toMatch(/^Backups +1 complete$/m);
    expect(stdout).toMatch(/^Free space +\d.* of \d/m);
    expect(stdout).toMatch(/^shop +1 /m);
  });

  test("a server that was wiped is filled again", async () => {
    await rm(remoteFolder(), { recursive: true });
    const missing = await npm("backup:sync:sync", "--dry-run");
    expect(missing).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^remote lacks 1 backup .*; nothing was copied:/),
    });
    const { tiers } = await json("backup:sync:sync", "--wait");
    expect(tiers).toMatchObject([
      { tier: "remote", complete: 1, upToDate: true, copies: [{ backupId: first, from: "local", state: "completed" }] },
    ]);
    expect((await npm("backup:sync:list")).stdout).toMatch(new RegExp(`^${first} +shop .* complete$`, "m"));
  });

  test("a backup that the bucket lost is uploaded, once", async () => {
    const cloud = site.tiers.find(({ name }) => name === "cloud");
    for await (const { key } of cloud?.store.list(backupPrefix(DATABASE)) ?? []) await cloud?.store.delete(key);
    const uploaded = await npm("backup:cloud:upload", `--backup ${first}`);
    expect(uploaded).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(`^Backup ${first} of shop is on cloud: `),
    });
    expect(await json("backup:cloud:upload")).toMatchObject({ backupId: first, ok: true, tiers: [{ state: "there" }] });
    expect(await json("backup:cloud:sync", "--wait")).toMatchObject({
      tiers: [{ tier: "cloud", complete: 1, upToDate: true, copies: [] }],
    });
  });
});

describe("without workers", () => {
  let newest: string[];

  test("copies stay in the queue and say so, unless they are made here", async () => {
    await rm(remoteFolder(), { recursive: true });
    expect(await json("backup:sync:sync", "--wait", 3)).toMatchObject({ queuesWithoutWorker: ["remote-sync"] });
    expect(await json("backup:sync:sync", "--inline")).toMatchObject({
      tiers: [{ upToDate: true, copies: [{ state: "completed" }] }],
    });
  });

  test("what no rule keeps is shown, refused without a word, and deleted on each tier", async () => {
    newest = [await newBackup(), await newBackup(), await newBackup()];
    const shown = await npm("backup:rotate", "--dry-run");
    expect(shown.code).toBe(0);
    expect(shown.stdout).toMatch(new RegExp(`^${newest[2]} .* kept: .*newest 2`, "m"));
    expect(shown.stdout).toMatch(new RegExp(`^${newest[0]} .* delete: beyond every rule`, "m"));
    expect(await npm("backup:rotate")).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/no terminal to ask at; nothing was deleted\. Look with --dry-run, and say --yes/),
    });
    for (const [script, tier] of [
      ["backup:rotate", "local"],
      ["backup:sync:cleanup", "remote"],
      ["backup:cloud:cleanup", "cloud"],
    ] as const) {
      const { tiers } = await json(script, "--yes");
      expect(tiers).toMatchObject([{ tier, held: [] }]);
      expect(tiers[0].deleted.length).toBeGreaterThan(0);
      expect(await json(script, "--yes")).toMatchObject({ tiers: [{ tier, deleted: [] }] });
    }
    const ids = async (noun: string) =>
      (await json(`backup:${noun}:list`)).tiers[0].backups.map(({ id }: { id: string }) => id);
    const kept = [newest[2], newest[1]];
    expect([await ids("sync"), await ids("cloud")]).toEqual([kept, kept]);
  });
});

test("no secret was printed", () => {
  const all = printed.join("\n");
  for (const secret of [site.postgres.password, "AGE-SECRET-KEY-"]) expect(all.includes(secret)).toBe(false);
});
