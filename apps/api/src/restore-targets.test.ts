import path from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { createToken } from "@trivault/access";
import type { RestoreServer } from "@trivault/core";
import { makeTempDir, type TempDir } from "@trivault/testkit";
import { appUnderTest, BEARER, closeApps, putBackup } from "../test/app-under-test.ts";

afterEach(closeApps);

const ID = "20261123t020000z-7f3k9xq2";
let dir: TempDir;
let accessFile: string;
let operator: Record<string, string>;
beforeAll(async () => {
  dir = await makeTempDir("tv-targets");
  accessFile = path.join(dir.path, "access.json");
  const who = { name: "ops", role: "operator", createdBy: "test", expiresAt: null } as const;
  operator = { authorization: `Bearer ${await createToken(accessFile, who, new Date())}` };
});
afterAll(() => dir.remove());

async function under(restoreTargets?: readonly RestoreServer[]) {
  const { deps } = appUnderTest();
  const config = restoreTargets ? { ...deps.config, restoreTargets } : deps.config;
  const { app, events } = appUnderTest({ api: { accessFile }, config, tiers: deps.tiers });
  await putBackup(deps.tiers[0], ID, true);
  const restore = async (headers: Record<string, string>, to: RestoreServer) => {
    const payload = { target: "shop_restored", to };
    const answer = await app.inject({ method: "POST", url: `/api/v1/backups/${ID}/restore`, headers, payload });
    return answer.json<{ status: number; code: string; detail: string }>();
  };
  return { app, events, restore };
}

test("9.C24 an operator restores only to servers that the administrator allowed, an administrator to any", async () => {
  const { restore } = await under();
  const refused = await restore(operator, "source-server");
  expect(refused).toMatchObject({ status: 403, code: "NOT_ALLOWED" });
  expect(refused.detail).toMatch(
    /BACKUP_RESTORE_TARGETS, or restore\.targets in trivault\.config\.yaml, names source-server/,
  );
  // As far as the queue, which is not there.
  expect(await restore(operator, "restore-server")).toMatchObject({ status: 503 });
  expect(await restore(BEARER, "source-server")).toMatchObject({ status: 503 });
  const allowing = await under(["source-server"]);
  expect(await allowing.restore(operator, "source-server")).toMatchObject({ status: 503 });
  expect(await allowing.restore(operator, "restore-server")).toMatchObject({ status: 403 });
});

test("9.C24 what a restore would find says so before it is asked for", async () => {
  const { app } = await under();
  const payload = { backupId: ID, target: "shop_restored" };
  const answer = await app.inject({ method: "POST", url: "/api/v1/restores/check", headers: operator, payload });
  const { ok, checks } = answer.json<{ ok: boolean; checks: { check: string; ok: boolean; detail: string }[] }>();
  expect(ok).toBe(false);
  expect(checks.find(({ check }) => check === "server")).toMatchObject({
    ok: false,
    detail: expect.stringMatching(/no target/),
  });
});

test("9.A3 discarding is for administrators, of orphans alone, and of just what was seen; taking note is for operators", async () => {
  const { deps } = appUnderTest();
  const { app } = appUnderTest({ api: { accessFile }, tiers: deps.tiers });
  // Not signed by a key that is known here, so it may be another site's.
  await putBackup(deps.tiers[0], ID, true, "old");
  const ask = async (method: "GET" | "POST", name: string, headers: Record<string, string>, payload?: object) => {
    const answer = await app.inject({
      method,
      url: `/api/v1/databases/${name}/discard`,
      headers,
      ...(payload && { payload }),
    });
    return answer.json();
  };
  const plan = await ask("GET", "old", operator);
  expect(plan).toMatchObject({ database: "old", copies: [], stays: [{ backupId: ID, tier: "local" }] });
  expect(await ask("POST", "old", operator, { digest: plan.digest })).toMatchObject({
    status: 403,
    code: "ROLE_NEEDED",
  });
  expect(await ask("POST", "old", BEARER, { digest: "0".repeat(64) })).toMatchObject({ status: 409, code: "EXISTS" });
  expect(await ask("POST", "old", BEARER, { digest: plan.digest })).toMatchObject({ complete: true, deleted: [] });
  expect(await ask("GET", "shop", BEARER)).toMatchObject({
    status: 400,
    detail: expect.stringMatching(/is configured/),
  });
  expect(await ask("GET", "nothing", BEARER)).toMatchObject({ status: 404 });
  const url = "/api/v1/databases/old/acknowledge";
  const noted = await app.inject({ method: "POST", url, headers: operator, payload: {} });
  expect(noted.json()).toMatchObject({ status: 404, detail: expect.stringMatching(/No database is gone/) });
});
