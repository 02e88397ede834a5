import { writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { startWorkers } from "@trivault/cluster";
import { type Config, silentLogger } from "@trivault/core";
import { generateKeys, loadOrCreateSigningKey, writeIdentityFile } from "@trivault/crypto";
import {
  createSampleDatabase,
  makeTempDir,
  type PostgresServer,
  type RedisServer,
  startPostgres,
  startRedis,
  type TempDir,
} from "@trivault/testkit";
import { BEARER, closeApps } from "../test/app-under-test.ts";
import { type ServedSite, serveSite } from "../test/served-site.ts";

afterEach(closeApps);

/** What people ask the API for, carried out by real workers on real servers. */

let redis: RedisServer;
let postgres: PostgresServer;
let keys: TempDir;
let settings: Record<string, string>;
beforeAll(async () => {
  [redis, postgres, keys] = await Promise.all([startRedis(), startPostgres(), makeTempDir("tv-keys")]);
  const url = await postgres.createDatabase("shop");
  await createSampleDatabase(url, { megabytes: 1 });
  const pair = await generateKeys();
  const signing = await loadOrCreateSigningKey(path.join(keys.path, "signing.key"));
  await writeIdentityFile(path.join(keys.path, "identity.txt"), pair, signing.publicKey);
  settings = {
    DATABASE_URL: url,
    BACKUP_ENCRYPTION: "age",
    BACKUP_ENCRYPTION_RECIPIENTS: pair.recipient,
    BACKUP_SIGNING_KEY_FILE: path.join(keys.path, "signing.key"),
    BACKUP_SCHEDULE: "off",
    BACKUP_RESTORE_TARGET: postgres.urlOf("postgres"),
    WORKER_TAKEOVER_SECONDS: "5",
  };
});
afterAll(async () => {
  await redis?.stop();
  await postgres?.stop();
  await keys?.remove();
});

interface Answer {
  readonly status: number;
  /** Looked into freely; what it holds is checked by the fuzzing. */
  readonly body: ReturnType<typeof JSON.parse>;
}

async function call(site: ServedSite, method: string, url: string, body?: object, key?: string): Promise<Answer> {
  const headers = {
    ...BEARER,
    ...(body && { "content-type": "application/json" }),
    ...(key && { "idempotency-key": key }),
  };
  const answer = await fetch(site.url + url, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  return { status: answer.status, body: await answer.json() };
}

/** Asks until it is so; a busy machine may take its time. */
async function until(ask: () => Promise<Answer>, holds: (body: Answer["body"]) => boolean): Promise<Answer["body"]> {
  for (const end = Date.now() + 50_000; ; await sleep(100)) {
    const { body } = await ask();
    if (holds(body)) return body;
    if (Date.now() > end) throw new Error(`it did not come to it: ${JSON.stringify(body)}`);
  }
}

const ended = (body: Answer["body"]) => ["completed", "failed"].includes(body.state);
const jobOf = (site: ServedSite, { links }: { links: { self: string } }) =>
  until(() => call(site, "GET", links.self), ended);

async function withWorkers(config: Config, use: () => Promise<void>): Promise<void> {
  const workers = await startWorkers(config, redis.url, silentLogger());
  try {
    await use();
  } finally {
    await workers.close(0);
  }
}

async function makeBackup(site: ServedSite): Promise<string> {
  const { body } = await call(site, "POST", "/api/v1/backups", { database: "shop" });
  const done = await until(
    () => call(site, "GET", body.links.self),
    ({ status }) => status === "completed" || status === "failed",
  );
  expect(done).toMatchObject({ status: "completed", copies: [{ tier: "local" }, { tier: "remote" }] });
  return done.backupId;
}

describe("a site with workers", () => {
  test("verifies each copy, notes rotten bytes, restores into a new database, and refuses one that is taken", async () => {
    const site = await serveSite(redis.url, {
      ...settings,
      BACKUP_IDENTITY_FILE: path.join(keys.path, "identity.txt"),
    });
    await withWorkers(site.config, async () => {
      const id = await makeBackup(site);
      // The same bytes long, and others.
      const folder = path.join((site.config.tiers[1] as { directory: string }).directory, "shop", id);
      const { body: manifest } = await call(site, "GET", `/api/v1/backups/${id}/manifest`);
      const segment = manifest.manifest.segments.find(({ name }: { name: string }) => name.startsWith("data-"));
      await writeFile(path.join(folder, segment.name), Buffer.alloc(segment.size));
      const verified = await call(site, "POST", `/api/v1/backups/${id}/verify`, {}, "verify");
      expect(verified).toMatchObject({ status: 202, body: { backupId: id, database: "shop" } });
      const again = await call(site, "POST", `/api/v1/backups/${id}/verify`, {}, "verify");
      expect(again).toEqual({ status: 200, body: verified.body });
      const other = await call(site, "POST", `/api/v1/backups/${id}/verify`, { tiers: ["local"] }, "verify");
      expect(other).toMatchObject({ status: 422, body: { code: "KEY_REUSED" } });
      const [local, remote] = await Promise.all(verified.body.jobs.map((job: never) => jobOf(site, job)));
      expect(local).toMatchObject({ tier: "local", state: "completed", result: { state: "good" } });
      expect(remote).toMatchObject({
        tier: "remote",
        state: "completed",
        result: { state: "damaged", problems: [{ file: segment.name }] },
      });
      const { body: record } = await call(site, "GET", `/api/v1/audit?action=backup.verified&backupId=${id}`);
      expect(record.events.map(({ tier, outcome }: never) => [tier, outcome]).toSorted()).toEqual([
        ["local", "ok"],
        ["remote", "failed"],
      ]);

      const restore = { target: "shop_restored", from: "any" };
      const { body: plan } = await call(site, "POST", "/api/v1/restores/check", { backupId: id, ...restore });
      expect(plan).toMatchObject({ ok: true, database: "shop" });
      const asked = await call(site, "POST", `/api/v1/backups/${id}/restore`, restore, "restore");
      expect(asked).toMatchObject({ status: 202, body: { target: "shop_restored" } });
      expect(await call(site, "POST", `/api/v1/backups/${id}/restore`, restore, "restore")).toMatchObject({
        status: 200,
      });
      const job = await jobOf(site, asked.body.job);
      expect(job).toMatchObject({ state: "completed", result: { created: true, database: "shop" } });
      expect(job.result.tablesCompared).toBeGreaterThan(3);
      expect(job.log.join("\n")).toMatch(/row counts of all/);
      expect(JSON.stringify(job)).not.toMatch(/postgresql:/);

      const taken = await call(site, "POST", "/api/v1/restores/check", { backupId: id, ...restore });
      expect(taken.body).toMatchObject({
        ok: false,
        checks: expect.arrayContaining([expect.objectContaining({ check: "target", ok: false })]),
      });
      const second = await call(site, "POST", `/api/v1/backups/${id}/restore`, restore);
      expect(await jobOf(site, second.body.job)).toMatchObject({
        state: "failed",
        problem: expect.stringMatching(/not empty/),
      });
      const toOther = { target: "elsewhere", to: "restore-server" };
      const third = await call(site, "POST", `/api/v1/backups/${id}/restore`, toOther);
      expect(await jobOf(site, third.body.job)).toMatchObject({ state: "completed", about: { target: "elsewhere" } });
      const restored = await call(site, "GET", "/api/v1/audit?action=backup.restored");
      expect(restored.body.events.map(({ outcome }: never) => outcome)).toEqual(["ok", "refused", "ok"]);
    });
  });

  test("without an identity file a restore fails at once, and says what to do", async () => {
    const site = await serveSite(redis.url, settings);
    await withWorkers(site.config, async () => {
      const id = await makeBackup(site);
      const { body: plan } = await call(site, "POST", "/api/v1/restores/check", { backupId: id, target: "never" });
      expect(plan.checks).toContainEqual(expect.objectContaining({ check: "identity", ok: null }));
      const { body } = await call(site, "POST", `/api/v1/backups/${id}/restore`, { target: "never" });
      expect(await jobOf(site, body.job)).toMatchObject({
        state: "failed",
        attempts: 1,
        problem: expect.stringMatching(/no identity file.*BACKUP_IDENTITY_FILE/),
      });
    });
  });
});
