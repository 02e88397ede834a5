import path from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { addUser } from "@trivault/access";
import { makeTempDir } from "@trivault/testkit";
import { appUnderTest, BEARER, CHEAP, closeApps, TOKEN } from "../test/app-under-test.ts";
import { openBrowser, type TestBrowser } from "../test/browser.ts";

afterEach(closeApps);

let browser: TestBrowser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
});

test("/docs shows every operation, in a browser that holds its policy and asks no foreign host", async () => {
  const { app } = appUnderTest();
  const url = await app.listen({ host: "127.0.0.1", port: 0 });
  await using tab = await browser.open({ extraHTTPHeaders: BEARER });
  const answer = await tab.page.goto(`${url}/docs`);
  expect(answer?.status()).toBe(200);
  expect(answer?.headers()["content-security-policy"]).toMatch(/default-src 'none'; script-src 'self';/);
  await tab.page.getByText("/api/v1/backups/{id}/restore").first().click();
  await tab.page.getByText("shop_restored").first().waitFor();
  expect(await tab.page.locator(".opblock").count()).toBeGreaterThan(35);
  await tab.shoot("api-docs", false);
  expect(tab.offences).toEqual([]);
  expect(await tab.page.content()).not.toContain(TOKEN);
}, 90_000);

test("whoever is logged in may try out what changes something", async () => {
  await using dir = await makeTempDir("tv-docs");
  const accessFile = path.join(dir.path, "access.json");
  const alice = { name: "alice", role: "admin", password: "correct horse battery", createdBy: "test" } as const;
  const { recoveryCodes } = await addUser(accessFile, alice, new Date(), CHEAP);
  const { app, events } = appUnderTest({ token: null, api: { accessFile } });
  const url = await app.listen({ host: "127.0.0.1", port: 0 });
  await using tab = await browser.open();
  const { page } = tab;
  await page.goto(`${url}/docs`);
  await page.getByLabel("User").fill(alice.name);
  await page.getByLabel("Password").fill(alice.password);
  await page.keyboard.press("Enter");
  await page.getByLabel(/code/i).fill(recoveryCodes[0] ?? "");
  await page.keyboard.press("Enter");
  const operation = page.locator("#operations-access-createToken");
  await operation.locator(".opblock-summary-control").click();
  await operation.getByRole("button", { name: "Try it out" }).click();
  await operation.getByRole("button", { name: "Execute" }).click();
  await operation.locator(".live-responses-table .response-col_status", { hasText: "201" }).waitFor();
  expect(events).toContainEqual(
    expect.objectContaining({ action: "access.token", actor: "user:alice", outcome: "ok" }),
  );
  expect(tab.offences).toEqual([]);
}, 90_000);
