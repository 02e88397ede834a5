import { cp, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { resolveConfig } from "@trivault/core";
import { makeTempDir, type TempDir } from "@trivault/testkit";
import { appUnderTest, BEARER, closeApps, TOKEN } from "../test/app-under-test.ts";

afterEach(closeApps);

let dir: TempDir;
beforeEach(async () => {
  dir = await makeTempDir("tv-reports");
});
afterEach(() => dir.remove());

function makeApp() {
  const env = {
    DATABASE_URL: "postgresql://user:db-password@127.0.0.1:1/shop",
    BACKUP_ENCRYPTION: "none",
    BACKUP_DIR: dir.path,
    BACKUP_API_TOKEN: TOKEN,
  };
  return appUnderTest({ config: resolveConfig(env, "backup") }).app;
}

const PERIOD = { from: "2026-11-01T00:00:00.000Z", to: "2026-11-24T00:00:00.000Z" };

test("a report of any period, as JSON or as a page that can do nothing", async () => {
  const app = makeApp();
  const post = (payload: object, query = "", accept = "application/json") =>
    app.inject({ method: "POST", url: `/api/v1/reports${query}`, headers: { ...BEARER, accept }, payload });
  const json = await post(PERIOD);
  expect(json.statusCode).toBe(200);
  expect(json.json()).toMatchObject({ format: "trivault-report", period: PERIOD, language: "en", well: false });
  const french = await post({ ...PERIOD, language: "fr", database: "shop" }, "", "text/html");
  expect(french.headers["content-type"]).toMatch(/^text\/html/);
  expect(french.headers["content-security-policy"]).toMatch(/default-src 'none'.*sandbox/);
  expect(french.headers["content-security-policy"]).not.toMatch(/script-src|unsafe-eval/);
  expect(french.body).toContain('<html lang="fr">');
  const refused = await Promise.all([
    post({ from: PERIOD.to, to: PERIOD.from }),
    post({ database: "nope" }),
    post({ language: "de" }),
    post({}, "?format=pdf"),
  ]);
  expect(refused.map(({ statusCode }) => statusCode)).toEqual([400, 404, 400, 400]);
}, 120_000);

test("reports that are kept are listed, and shown by their day", async () => {
  const app = makeApp();
  const get = (url: string, accept = "application/json") => app.inject({ url, headers: { ...BEARER, accept } });
  expect((await get("/api/v1/reports")).json()).toEqual({ reports: [] });

  const folder = path.join(dir.path, ".trivault/reports");
  await mkdir(folder, { recursive: true });
  const at = (name: string) => path.join(folder, name);
  await writeFile(at("2026-11-24.html"), "<!DOCTYPE html><p>the report");
  await writeFile(at("2026-11-24.json"), '{"format":"trivault-report"}');
  const mail = { attempts: 1, sentAt: PERIOD.to, problem: null, nextAt: null };
  const state = { madeAt: PERIOD.to, period: PERIOD, well: true, summary: "Everything is healthy.", mail };
  await writeFile(at("2026-11-24.state.json"), JSON.stringify(state));
  await cp(at("2026-11-24.state.json"), at("2026-11-23.state.json"));

  const { reports } = (await get("/api/v1/reports")).json();
  expect(reports).toHaveLength(2);
  expect(reports[0]).toMatchObject({ day: "2026-11-24", mailedAt: PERIOD.to, summary: "Everything is healthy." });
  expect((await get(reports[0].links.html)).body).toContain("the report");
  expect((await get(reports[0].links.json)).json()).toEqual({ format: "trivault-report" });
  expect((await get("/api/v1/reports/2026-11-24", "text/html,*/*")).headers["content-type"]).toMatch(/^text\/html/);
  expect((await get("/api/v1/reports/2026-11-22")).statusCode).toBe(404);
  expect((await get("/api/v1/reports/..%2f..%2fetc")).statusCode).toBe(400);
});
