import { writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { type PostgresServer, type Sshd, makeTempDir, startPostgres, startSshd, type TempDir } from "@trivault/testkit";
import { printed, runCli } from "./testing/spawn-cli.ts";

jest.setTimeout(90_000);

let dir: TempDir;
let postgres: PostgresServer;
let remote: Sshd;
const PASSWORD = "hunter2-hunter2";

beforeAll(async () => {
  [dir, postgres, remote] = await Promise.all([makeTempDir("tv-check"), startPostgres(), startSshd()]);
  await postgres.query(`CREATE ROLE checker LOGIN SUPERUSER PASSWORD '${PASSWORD}'`);
  for (const name of ["shop", "app_one", "app_two", "app_test"]) await postgres.createDatabase(name);
  await postgres.query("CREATE TABLE a AS SELECT 1 AS x; CREATE TABLE b AS SELECT 1 AS x", "shop");
});
afterAll(async () => {
  await Promise.all([postgres.stop(), remote.stop()]);
  await dir.remove();
});
afterAll(() => expect(printed.join("")).not.toContain(PASSWORD));

const urlOf = (database: string) => {
  const url = new URL(postgres.urlOf(database));
  url.username = "checker";
  url.password = PASSWORD;
  return url.href;
};

async function check(yaml: string, options = "", env: Readonly<Record<string, string>> = {}) {
  await writeFile(path.join(dir.path, "trivault.config.yaml"), yaml, { mode: 0o600 });
  return runCli(["config", "check", ...options.split(" ").filter((word) => word !== "")], {
    cwd: dir.path,
    env: { BACKUP_ENCRYPTION: "none", BACKUP_DIR: path.join(dir.path, "backups"), ...env },
  });
}

const tiers = () => `
tiers:
  disk: { kind: local, directory: disk, budget: { size: 5GiB, whenFull: stop } }
  paris:
    kind: sftp
    host: ${remote.host}
    port: ${remote.port}
    user: ${remote.user}
    keyFile: ${remote.keyFile}
    hostKey: ${remote.fingerprint}
    directory: ${remote.directory}
`;

describe("config check", () => {
  test("shows what is in force, and that every connection holds", async () => {
    const yaml = `${tiers()}
databases:
  shop:
    urlEnv: SHOP
    schedule: "30 2 * * *"
    timeZone: Europe/Paris
    include: { tables: [a] }
    retention: { daily: 7, byTier: { disk: off } }
servers:
  main: { url: "${urlOf("postgres")}", include: ["app_*"], exclude: ["*_test"] }
`;
    const { code, stdout, stderr } = await check(yaml, "", { SHOP: urlOf("shop") });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^Settings +\/\S+trivault\.config\.yaml and the environment$/m);
    expect(stdout).toMatch(
      /^shop +30 2 \* \* \* +Europe\/Paris +\d{4}-\d\d-\d\d 0\d:3\d:\d\d UTC +local disk paris .*tables a$/m,
    );
    expect(stdout).toMatch(/^shop +local paris +daily=7,atLeast=2$/m);
    expect(stdout).toMatch(/^shop +disk +everything$/m);
    expect(stdout).toMatch(/^disk +local +\S+\/disk +5\.0 GiB, then stop/m);
    expect(stdout).toMatch(
      /^ok +database shop: PostgreSQL 15\..*, pg_dump 15\.\S+, tables to back up: 1; connection: on this machine$/m,
    );
    expect(stdout).toMatch(
      /^ok +server main: these match \(2\): main\.app_one, main\.app_two; connection: on this machine$/m,
    );
    for (const tier of ["local", "disk", "paris"]) expect(stdout).toMatch(new RegExp(`^ok +tier ${tier}: all`, "m"));
  });

  test("says in JSON which connections fail, and why, side by side", async () => {
    const yaml = `${tiers()}  gone: { kind: sftp, host: 127.0.0.1, port: 1, user: u, keyFile: ${remote.keyFile}, hostKey: "${remote.fingerprint}", directory: /x }
databases:
  shop: { url: "${urlOf("shop")}" }
  nowhere: { url: "postgresql://u:${PASSWORD}@127.0.0.1:1/nowhere" }
  partial: { url: "${urlOf("no_such_database")}" }
servers:
  main: { url: "${urlOf("postgres")}", include: ["nothing_*"] }
`;
    const { code, stdout } = await check(yaml, "--json");
    expect(code).toBe(1);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ ok: false, limits: { dumpsPerServer: 1 }, warnings: [] });
    expect(report.databases[0].url).toContain("checker:***@");
    const connections: { kind: string; name: string; ok: boolean; detail: string }[] = report.connections;
    const lines = connections.map(({ kind, name, ok, detail }) => `${kind} ${name} ${ok} ${detail}`);
    expect(lines).toEqual([
      expect.stringMatching(/^database shop true /),
      expect.stringMatching(/^database nowhere false No connection .*127\.0\.0\.1:1/),
      expect.stringMatching(/^database partial false .*does not exist/),
      expect.stringMatching(/^server main false no database matches/),
      expect.stringMatching(/^tier local true /),
      expect.stringMatching(/^tier disk true /),
      expect.stringMatching(/^tier paris true /),
      expect.stringMatching(/^tier gone false connect: /),
    ]);
  });

  test("--offline connects nowhere", async () => {
    const { code, stdout } = await check(
      'databases: { x: { url: "postgresql://h.invalid/x", schedule: off } }',
      "--offline --json",
    );
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: true,
      connections: null,
      databases: [{ name: "x", schedule: null, nextRun: null }],
    });
  });

  test("says who gets messages, and shows of a secret address only its host", async () => {
    const yaml = `databases: { x: { url: "postgresql://h.invalid/x" } }
mail: { host: mail.example.org, user: backup, password: ${PASSWORD}, from: backup@example.org }
alerts:
  deadMan: { url: "https://ping.example.org/${PASSWORD}", every: 5m }
  channels:
    ops: { kind: email, to: [ops@example.org] }
    chat: { kind: slack, url: "https://hooks.slack.com/services/${PASSWORD}", from: critical }
reports: { to: [boss@example.org] }
`;
    const redis = `redis://:${PASSWORD}@redis.example.org:6379`;
    const readable = await check(yaml, "--offline", { REDIS_URL: redis });
    // 9.C20: what crosses a network in clear is said as such.
    expect(readable.stdout).toMatch(
      /^Redis +redis:\/\/:\*\*\*@redis\.example\.org:6379: NO TLS \(rediss:\/\/ has it\), PASSWORD UNPROTECTED$/m,
    );
    expect(readable.stdout).toMatch(
      /^Alerts to +ops \(email, ops@example\.org\), chat \(slack, hooks\.slack\.com, critical ones only\), a dead man's switch at ping\.example\.org, every 5m$/m,
    );
    expect(readable.stdout).toMatch(/^Reports +0 7 \* \* \* UTC, mailed to boss@example\.org$/m);
    const { stdout } = await check(yaml, "--offline --json");
    expect(JSON.parse(stdout)).toMatchObject({ mail: { host: "mail.example.org", user: "backup" } });
    expect(readable.stdout + stdout).not.toContain(PASSWORD);
    const quiet = await check('databases: { x: { url: "postgresql://h.invalid/x" } }', "--offline");
    expect(quiet.stdout).toMatch(/^Alerts to +NOBODY/m);
  });

  test("reports all that is wrong with the settings at once, without a stack", async () => {
    const yaml = `databases:\n  shop:\n    url: "mysql://u:${PASSWORD}@h/shop"\n    shedule: off\n`;
    const { code, stdout, stderr } = await check(yaml, "", { BACKUP_DIR: "/x", LOG_LEVEL: "loud" });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr.trimEnd().split("\n")).toEqual([
      expect.stringMatching(/^The configuration cannot be used \(file \/.*trivault\.config\.yaml\):$/),
      expect.stringMatching(/^ {2}LOG_LEVEL is "loud"/),
      "  databases.shop.url (line 3) is wrong (its value is hidden): expected a PostgreSQL URL, such as postgresql://user:***@host:5432/shop.",
      "  databases.shop.shedule (line 4) is not known here: did you mean schedule?",
    ]);
  });

  test("config schema prints what an editor reads", async () => {
    const { code, stdout } = await runCli(["config", "schema"], { cwd: dir.path });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      title: "trivault.config.yaml",
      properties: { databases: {}, tiers: {} },
    });
  });
});
