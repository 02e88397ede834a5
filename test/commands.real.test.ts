import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { copyFile, cp, mkdir, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { backupPrefix } from "@trivault/core";
import type { Ended } from "../apps/cli/src/testing/ended.ts";
import { printed, runCli } from "../apps/cli/src/testing/spawn-cli.ts";
import { DATABASE, startSite, type TestSite, type TestWorker, webShop } from "./support/site.ts";

/** Every command as a new user runs it: the scripts of package.json on a whole site. The steps follow one another, as on a real day. */

const ROOT = path.resolve(import.meta.dirname, "..");
/** One that prints much, one with options, one that fails; docs-tasks.real.test.ts starts most of the others by npm. */
const BY_NPM = new Set(["backup:config:schema", "backup:sync:stats", "backup:discard"]);

let site: TestSite;
let worker: TestWorker | undefined;
const started = new Set<string>();

beforeAll(async () => {
  site = await startSite({ fill: webShop(1), env: { BACKUP_RETENTION: "off" } });
});
afterAll(async () => {
  await site?.[Symbol.asyncDispose]();
});

interface Recorded {
  readonly action: string;
  readonly outcome: string;
  readonly details: Readonly<Record<string, unknown>>;
}

interface Manner {
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A script of package.json. What npm itself does, and a process of its own, was seen once for each of `BY_NPM`. */
async function run(script: string, args = "", { stdin, env: more = {} }: Manner = {}): Promise<Ended> {
  const first = !started.has(script);
  started.add(script);
  const words = args.split(" ").filter((word) => word !== "");
  const env = { ...site.env, ...more };
  if (first && BY_NPM.has(script)) return byNpm([script, "--", ...words], env);
  const line = scripts()[script] ?? "";
  const [, command = ""] = /^exec node apps\/cli\/src\/main\.js (.+)$/.exec(line) ?? [];
  if (command === "") throw new Error(`${script} does not start the command line: ${line}`);
  const options = { cwd: ROOT, env, logs: true, ...(stdin === undefined ? {} : { stdin }) };
  return runCli([...command.split(" "), ...words], options);
}

async function byNpm(args: readonly string[], given: Readonly<Record<string, string>>): Promise<Ended> {
  const { PATH = "", HOME = "" } = process.env;
  const env = { HOME, ...given, PATH: `${path.join(ROOT, "node_modules/.bin")}:${PATH}` };
  const child = spawn("npm", ["run", "--silent", ...args], { cwd: ROOT, env, stdio: "pipe" });
  child.stdin.on("error", () => {}).end();
  const exited = once(child, "exit");
  const [[code], stdout, stderr] = await Promise.all([exited, text(child.stdout), text(child.stderr)]);
  printed.push(stdout, stderr);
  return { code, stdout, stderr };
}

function scripts(): Record<string, string> {
  return JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8")).scripts;
}

/** Its exit code is the one expected, and stdout holds one JSON value. */
async function json(script: string, args = "", { code = 0, ...manner }: Manner & { readonly code?: number } = {}) {
  const ended = await run(script, `${args} --json`, manner);
  if (ended.code !== code) {
    throw new Error(`${script} ${args} ended with ${ended.code}: ${ended.stdout}${ended.stderr}`);
  }
  return JSON.parse(ended.stdout);
}

const remoteFolder = () => path.join(site.env["BACKUP_REMOTE_DIR"] ?? "", DATABASE);

async function newBackup(): Promise<string> {
  const { ok, backupId } = await json("backup:run", "--inline");
  expect(ok).toBe(true);
  return backupId;
}

async function idsOn(noun: "sync" | "cloud"): Promise<string[]> {
  const { tiers } = await json(`backup:${noun}:list`);
  return tiers[0].backups.map(({ id }: { id: string }) => id);
}

describe("before the first backup", () => {
  test("keys are made, and the settings are checked", async () => {
    const file = path.join(site.config.backupDir, "../new-identity.txt");
    const [made, checked, schema] = await Promise.all([
      json("backup:keys:generate", `--identity-file ${file}`),
      json("backup:config:check"),
      run("backup:config:schema"),
    ]);
    expect(readFileSync(made.identityFile, "utf8")).toContain(made.recipient);
    expect(checked).toMatchObject({
      ok: true,
      connections: expect.arrayContaining(
        [{ kind: "tier", name: "cloud" }].map((each) => expect.objectContaining(each)),
      ),
    });
    expect(JSON.parse(schema.stdout)).toMatchObject({ type: "object" });
  });

  test.each([
    ["sync", "remote", 10],
    ["cloud", "cloud", 11],
  ])("%s test: every step of %s holds", async (noun, tier, steps) => {
    const ended = await run(`backup:${noun}:test`);
    expect(ended).toMatchObject({ code: 0, stderr: "" });
    const lines = ended.stdout.trimEnd().split("\n");
    expect(lines[0]).toMatch(new RegExp(`^${tier}: `));
    expect(lines.slice(1, -1).every((line) => line.startsWith("  ok  "))).toBe(true);
    expect(lines.at(-1)).toBe(`${tier}: all ${steps} steps hold`);
    const down = noun === "sync" ? { BACKUP_SSH_USER: "nobody" } : { AWS_SECRET_ACCESS_KEY: "wrong" };
    const { ok, tiers } = await json(`backup:${noun}:test`, "", { code: 1, env: down });
    expect({
      ok,
      failed: tiers[0].steps.find(({ advice }: { advice: string | null }) => advice !== null).step,
    }).toEqual({
      ok: false,
      failed: noun === "sync" ? "authenticate" : "credentials",
    });
  });

  test("lists are empty, and nothing is missing", async () => {
    const [list, stats, sync] = await Promise.all([
      run("backup:sync:list"),
      json("backup:cloud:stats"),
      run("backup:cloud:sync", "--dry-run"),
    ]);
    expect(list).toEqual({ code: 0, stdout: "remote holds no backups.\n", stderr: "" });
    expect(stats).toMatchObject({ tiers: [{ tier: "cloud", backups: 0, bytes: 0, newest: null }], unreachable: [] });
    expect(sync.stdout).toBe("cloud holds every backup that it shall hold: 0 complete.\n");
  });
});

describe("with workers", () => {
  let first: string;
  beforeAll(async () => {
    worker = await site.startWorker();
  });
  afterAll(async () => {
    await worker?.kill("SIGTERM");
  });

  test("a backup is made, and every tier lists it", async () => {
    first = (await json("backup:run", "--wait")).backupId;
    const [remote, cloud, stats, health] = await Promise.all([
      json("backup:sync:list"),
      json("backup:cloud:list"),
      run("backup:sync:stats"),
      json("backup:health", "--fresh"),
    ]);
    for (const [tier, found] of [
      ["remote", remote],
      ["cloud", cloud],
    ] as const) {
      const backup = { id: first, database: DATABASE, state: "complete", keep: null };
      expect(found).toMatchObject({ tiers: [{ tier, backups: [backup] }], unreachable: [] });
    }
    expect(stats.stdout).toMatch(/^Backups +1 complete$/m);
    expect(stats.stdout).toMatch(/^Free space +\d.* of \d/m);
    expect(stats.stdout).toMatch(/^shop +1 /m);
    expect(health).toMatchObject({ ok: true, localBackups: 1, remoteBackups: 1, cloudBackups: 1 });
  });

  test("a server that was wiped is filled again", async () => {
    await rm(remoteFolder(), { recursive: true });
    const missing = await run("backup:sync:sync", "--dry-run");
    expect(missing).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^remote lacks 1 backup .*; nothing was copied:/),
    });
    const { tiers } = await json("backup:sync:sync", "--wait");
    const copies = [{ backupId: first, from: "local", state: "completed" }];
    expect(tiers).toMatchObject([{ tier: "remote", complete: 1, upToDate: true, copies }]);
    expect((await run("backup:sync:list")).stdout).toMatch(new RegExp(`^${first} +shop .* complete$`, "m"));
  });

  test("a backup that the bucket lost is uploaded, once", async () => {
    const cloud = site.tiers.find(({ name }) => name === "cloud");
    for await (const { key } of cloud?.store.list(backupPrefix(DATABASE)) ?? []) await cloud?.store.delete(key);
    const uploaded = await run("backup:cloud:upload", `--backup ${first}`);
    expect(uploaded).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(`^Backup ${first} of shop is on cloud: `),
    });
    const [again, sync] = await Promise.all([json("backup:cloud:upload"), json("backup:cloud:sync", "--wait")]);
    expect(again).toMatchObject({ backupId: first, ok: true, tiers: [{ state: "there" }] });
    expect(sync).toMatchObject({ tiers: [{ tier: "cloud", complete: 1, upToDate: true, copies: [] }] });
  });
});

describe("without workers", () => {
  const lastTwo = { env: { BACKUP_RETENTION: "last=2" } };
  let ids: string[];

  test("copies stay in the queue and say so, unless they are made here", async () => {
    await rm(remoteFolder(), { recursive: true });
    const left = await json("backup:sync:sync", "--wait", { code: 3 });
    expect(left).toMatchObject({ queuesWithoutWorker: ["remote-sync"], tiers: [{ copies: [{ state: "missing" }] }] });
    const made = await json("backup:sync:sync", "--inline");
    expect(made).toMatchObject({ tiers: [{ upToDate: true, copies: [{ state: "completed" }] }] });
  });

  test("a backup is held, and its mark is seen on every tier", async () => {
    ids = [(await idsOn("sync"))[0] ?? "", await newBackup(), await newBackup(), await newBackup()];
    await json("backup:keep:add", `${ids[0]} --reason lawsuit`);
    const [held, cloud] = await Promise.all([json("backup:keep:list"), json("backup:cloud:list")]);
    expect(held).toMatchObject({ held: [{ backupId: ids[0], reason: "lawsuit" }], problems: [] });
    expect(cloud.tiers[0].backups.at(-1)).toMatchObject({ id: ids[0], keep: "lawsuit" });
    expect((await run("backup:keep:accept-size", `--from ${ids[1]}`)).code).toBe(0);
  });

  test("what no rule keeps is shown, refused without a word, and deleted on each tier", async () => {
    const [shown, unasked] = await Promise.all([
      run("backup:rotate", "--dry-run", lastTwo),
      run("backup:rotate", "", lastTwo),
    ]);
    expect(shown.stdout).toMatch(new RegExp(`^${ids[3]} .* kept: .*newest 2`, "m"));
    expect(shown.stdout).toMatch(new RegExp(`^${ids[1]} .* would delete, held until .*: beyond every rule`, "m"));
    expect(shown.stdout).toMatch(new RegExp(`^${ids[0]} .* kept: .*lawsuit`, "m"));
    expect(unasked).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/no terminal to ask at; nothing was deleted\. Look with --dry-run, and say --yes/),
    });
    for (const [script, tier] of [
      ["backup:rotate", "local"],
      ["backup:sync:cleanup", "remote"],
      ["backup:cloud:cleanup", "cloud"],
    ] as const) {
      const { tiers } = await json(script, "--yes", lastTwo);
      expect(tiers).toMatchObject([{ tier, held: [], deleted: [{ backupId: ids[1] }] }]);
    }
    expect(await run("backup:rotate", "--yes", lastTwo)).toMatchObject({
      code: 0,
      stdout: "local: no backup was deleted.\n",
    });
    const kept = [ids[3], ids[2], ids[0]];
    expect(await Promise.all([idsOn("sync"), idsOn("cloud")])).toEqual([kept, kept]);
    expect(await run("backup:keep:remove", ids[0])).toMatchObject({ code: 0 });
  });

  test("what is there is listed, shown, verified and restored", async () => {
    const [list, show, verify] = await Promise.all([
      json("backup:list", "--fresh"),
      json("backup:show", ids[3]),
      json("backup:verify", "--backup all"),
    ]);
    expect(list.backups.map(({ id }: { id: string }) => id)).toEqual([ids[3], ids[2], ids[0]]);
    expect(show).toMatchObject({
      id: ids[3],
      copies: [{ signature: "trusted" }, { signature: "trusted" }, { signature: "trusted" }],
    });
    expect(verify).toMatchObject({ good: true });
    expect(verify.copies).toHaveLength(9);
    const target = new URL(site.env["DATABASE_URL"] ?? "");
    target.pathname = "/restored";
    const restored = await json("backup:restore", `--database ${DATABASE} --from cloud --target -`, {
      stdin: target.href,
    });
    expect(restored).toMatchObject({ backupId: ids[3], created: true, damage: [] });
    expect(restored.tablesCompared).toBeGreaterThan(0);
  });

  test("a plaintext dump is adopted", async () => {
    const lines = ["--", "-- PostgreSQL database dump", "--", "", "-- Dumped from database version 15.1"];
    lines.push(
      "-- Dumped by pg_dump version 15.1",
      "",
      "SET statement_timeout = 0;",
      "CREATE TABLE public.t (a text);",
      "",
    );
    lines.push("--", "-- PostgreSQL database dump complete", "--", "", "");
    const file = path.join(site.config.backupDir, "old.sql");
    await writeFile(file, lines.join("\n"));
    await utimes(file, new Date("2025-01-01"), new Date("2025-01-01")); // nobody writes it any more
    const adopted = await json("backup:encrypt:auto", "--database old --yes");
    expect(adopted).toMatchObject({ refused: [], dumps: [{ file: "old.sql", state: "adopted", removed: true }] });
  });

  test("the audit log shows all of this, and is whole", async () => {
    const [events, verdict] = await Promise.all([
      json("backup:audit:logs", "--from 1h --limit 1000"),
      json("backup:audit:verify"),
    ]);
    const recorded = new Set(events.map(({ action, outcome }: Recorded) => `${action} ${outcome}`));
    for (const action of [
      "backup.dump",
      "backup.copy",
      "backup.deleted",
      "backup.restored",
      "backup.verified",
      "keep.marked",
    ]) {
      expect(recorded).toContain(`${action} ok`);
    }
    expect(verdict).toMatchObject({ ok: true, problems: [] });
    const dumps = events.filter(({ action, outcome }: Recorded) => action === "backup.dump" && outcome === "ok");
    expect(dumps.every(({ details }: Recorded) => Number(details["rows"]) > 100)).toBe(true);
  });

  test("completion is printed", async () => {
    expect(await run("backup:completion", "bash")).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("complete -"),
    });
  });
});

describe("who may enter, and what is logged", () => {
  test("a token and a user are made, listed and taken back", async () => {
    const made = await json("backup:token:create", "--name ci --role operator --expires 90d");
    expect(made).toMatchObject({ name: "ci", role: "operator", token: expect.stringMatching(/^tv_/) });
    const tokens = await json("backup:token:list");
    expect(JSON.stringify(tokens)).toContain('"ci"');
    expect(JSON.stringify(tokens)).not.toContain(made.token);
    expect(await run("backup:token:revoke", "ci")).toMatchObject({ code: 0 });
    const stdin = "a long enough password";
    expect(JSON.stringify(await json("backup:user:add", "--name alice --role viewer", { stdin }))).toContain(
      "otpauth:",
    );
    expect(await run("backup:user:reset", "alice", { stdin: `${stdin}, changed` })).toMatchObject({ code: 0 });
    expect(JSON.stringify(await json("backup:user:list"))).toContain('"alice"');
    expect(await run("backup:user:remove", "alice")).toMatchObject({ code: 0 });
  });

  test("a channel is configured, tried and written down; alerts are listed", async () => {
    const bodies: string[] = [];
    const receiver = createServer((request, response) => {
      void text(request).then((body) => {
        bodies.push(body);
        response.end("ok");
      });
    });
    await new Promise<void>((resolve) => void receiver.listen(0, "127.0.0.1", resolve));
    try {
      const file = path.join(site.config.backupDir, "../alerts.yaml");
      await writeFile(file, "# ours\n", { mode: 0o600 });
      const { port } = receiver.address() as AddressInfo;
      const env = { BACKUP_CONFIG: file, OPS_URL: `http://127.0.0.1:${port}/hook` };
      const flags = "--channel ops --kind webhook --url-env OPS_URL";
      expect(await run("backup:alerts:configure", flags, { env })).toMatchObject({ code: 0 });
      expect(readFileSync(file, "utf8")).toMatch(/^# ours\n[^]*urlEnv: OPS_URL/);
      expect(await run("backup:alerts:test", "--channel ops", { env })).toMatchObject({ code: 0 });
      expect(bodies.length).toBeGreaterThanOrEqual(2);
      await json("backup:alerts:list", "", { env });
      const unknown = await run("backup:alerts:silence", "nothing --for 1h --reason testing", { env });
      expect(unknown.stderr).toMatch(/nothing/);
      expect((await run("backup:alerts:unsilence", "nothing", { env })).stderr).toMatch(/nothing/);
    } finally {
      receiver.closeAllConnections();
      receiver.close();
    }
  });

  test("a report is made and printed", async () => {
    expect(JSON.stringify(await json("backup:reports:generate", "--last 24h"))).toContain(DATABASE);
    await json("backup:reports:list");
  });

  test("the dashboard is started by one command, and ends with it", async () => {
    started.add("backup:monitor:start");
    const { PATH = "", HOME = "" } = process.env;
    const program = [path.join(ROOT, "apps/cli/src/main.js"), "monitor", "start"];
    const env = { HOME, PATH, ...site.env, BACKUP_API_PORT: "0" };
    const child = spawn(process.execPath, program, { cwd: ROOT, env, stdio: ["ignore", "pipe", "pipe"] });
    const exited = new Promise<number | null>((resolve) => void child.once("exit", resolve));
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => (said += chunk));
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => printed.push(chunk));
    try {
      while (!/Dashboard +http\S+/.test(said)) {
        if (child.exitCode !== null) throw new Error(`it ended at once: ${said} ${printed.slice(-20).join("")}`);
        await sleep(100);
      }
      const token = readFileSync(path.join(site.config.backupDir, ".trivault/admin-token"), "utf8");
      const headers = { accept: "text/html", authorization: `Bearer ${token.trim()}` };
      const page = await fetch(/Dashboard +(http\S+)/.exec(said)?.[1] ?? "", { headers });
      expect(page.status).toBe(200);
      expect(await page.text()).toContain(DATABASE);
    } finally {
      child.kill("SIGTERM");
    }
    expect([0, 143]).toContain(await exited);
  });
});

test("9.A8 an empty BACKUP_DIR and a copied one begin nothing, until somebody says whose they are", async () => {
  const beside = (name: string) => path.join(path.dirname(site.config.backupDir), name);
  const [lost, copy] = [beside("lost"), beside("copy")];
  const own = (await json("backup:site:show")).site;
  await mkdir(lost);
  const refused = await run("backup:run", "--inline", { env: { BACKUP_DIR: lost } });
  expect(refused).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/holds no site, but the tiers remote, cloud/),
  });
  expect(await readdir(lost)).toEqual([]);
  expect((await json("backup:site:recover", "", { env: { BACKUP_DIR: lost } })).site.id).toBe(own.id);
  const record: Recorded[] = await json("backup:audit:logs", "", { env: { BACKUP_DIR: lost } });
  expect(record).toMatchObject([{ action: "site.recovered", outcome: "ok", details: { site: own.id } }]);

  await cp(lost, copy, { recursive: true });
  const env = { BACKUP_DIR: copy, BACKUP_SIGNING_KEY_FILE: path.join(copy, "signing.key") };
  await copyFile(site.env["BACKUP_SIGNING_KEY_FILE"] ?? "", env.BACKUP_SIGNING_KEY_FILE);
  expect(await run("backup:run", "--inline", { env })).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/is a copy of/),
  });
  expect((await json("backup:site:move", "", { env })).site.id).toBe(own.id);
  expect((await json("backup:site:new", "", { env })).site).not.toMatchObject({
    id: own.id,
    signingKey: own.signingKey,
  });
});

test("9.A3 what is left of a database that is not configured any more is shown, then discarded; nothing else ever is", async () => {
  const held = (await json("backup:list")).backups.length;
  expect(held).toBeGreaterThan(0);
  expect(await run("backup:discard", `--database ${DATABASE} --yes`)).toMatchObject({ code: 1 });
  expect(await run("backup:acknowledge", `--database ${DATABASE}`)).toMatchObject({ code: 1 });
  const env = { DATABASE_URL: site.postgres.urlOf("postgres") };
  await json("backup:discard", `--database ${DATABASE} --dry-run`, { env });
  expect(await run("backup:discard", `--database ${DATABASE}`, { env })).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/--yes/),
  });
  expect((await json("backup:list")).backups).toHaveLength(held);
  await json("backup:discard", `--database ${DATABASE} --yes`, { env });
  const left = (await json("backup:list", "--fresh")).backups;
  expect(left.filter(({ database }: { database: string }) => database === DATABASE)).toEqual([]);
});

test("every command that there is was run", () => {
  const ours = Object.keys(scripts()).filter((script) => script.startsWith("backup:"));
  expect(ours.filter((script) => !started.has(script))).toEqual([]);
});

test("no secret was printed", () => {
  const all = printed.join("\n");
  for (const secret of [site.postgres.password, "AGE-SECRET-KEY-"]) expect(all.includes(secret)).toBe(false);
});
