import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { openBrowser, type TestBrowser } from "../apps/api/test/browser.ts";
import { type RunningApi, startSiteApi } from "./support/site-api.ts";
import { startSite, type TestSite, webShop } from "./support/site.ts";

/** A person backs a database up, watches it to its end, and looks at what came of it: on real parts throughout. */

let browser: TestBrowser;
let site: TestSite;
let api: RunningApi;
beforeAll(async () => {
  [browser, site] = await Promise.all([
    openBrowser(),
    startSite({ fill: webShop(40), env: { BACKUP_API_PORT: "0", BACKUP_API_OPEN: "true" } }),
  ]);
  api = await startSiteApi(site.env);
}, 300_000);
afterAll(async () => {
  await api?.stop();
  await site?.[Symbol.asyncDispose]();
  await browser?.[Symbol.asyncDispose]();
});

test("a backup is asked for, watched to its end, kept, and stands among the runs", async () => {
  await using tab = await browser.open();
  const { page } = tab;
  await page.goto(`${api.url}/databases/shop`);
  expect(await page.textContent("h1")).toMatch(/shop.*Not safe/s);
  await page.getByRole("button", { name: "Back up now" }).click();
  await page.waitForURL(/\/backups\/\d{8}t\d{6}z-\w{8}/);
  expect(await page.textContent("[role=status]:not([hidden])")).toMatch(/asked for/);
  expect(await page.textContent("h1")).toMatch(/waiting/);

  // Every state that the four stages go through, as the page shows it.
  await page.evaluate(`
    window.seen = new Set();
    setInterval(() => {
      for (const card of document.querySelectorAll("[data-stage]")) {
        window.seen.add(card.dataset.stage + " " + card.querySelector(".state").textContent);
        if (/\\d/.test(card.querySelector(".bytes")?.textContent ?? "")) window.seen.add(card.dataset.stage + " bytes");
      }
    }, 20)`);
  await site.startWorker();
  await page.getByText("running", { exact: true }).first().waitFor({ timeout: 60_000 });
  await tab.shoot("live-running");
  await page.locator("h1", { hasText: "complete on every tier" }).waitFor({ timeout: 120_000 });
  const seen = await page.evaluate<string[]>("[...window.seen]");
  expect(seen).toEqual(
    expect.arrayContaining(["dump running", "dump bytes", "encrypt bytes", "remote bytes", "cloud bytes"]),
  );

  const id = (await page.locator("#verdict .id").textContent()) ?? "";
  expect(await page.locator("#copies tbody tr").allTextContents()).toEqual(
    ["local", "remote", "cloud"].map((tier) =>
      expect.stringMatching(new RegExp(`${tier}\\s+complete\\s+\\d+ of \\d+`)),
    ),
  );
  expect(await page.textContent("#manifest")).toMatch(/age, for 2 recipients.*tvsign1/s);
  expect(await page.textContent("#command")).toContain(`--backup ${id}`);
  expect(await page.locator("#log tbody tr").count()).toBe(5);
  expect(await tab.violations()).toEqual([]);
  await tab.shoot("live-complete");

  await page.locator("summary", { hasText: "Keep…" }).click();
  await page.getByLabel("Reason").fill("before the move");
  await page.getByRole("button", { name: "Keep", exact: true }).click();
  await page.getByText("Kept: before the move").waitFor();
  await page.getByRole("button", { name: "Verify" }).click();
  await page.getByText("The verification was asked for").waitFor();
  await page.getByText("verified").first().waitFor({ timeout: 60_000 });

  await page.getByRole("link", { name: "shop" }).first().click();
  await tab.shoot("live-database");
  expect(await page.textContent("h1")).toMatch(/shop.*Safe/s);
  expect(await page.locator("#runs tbody tr").first().textContent()).toMatch(/succeeded/);
  await page.goto(api.url);
  expect(await page.textContent("h1")).toBe("shop is safe in three tiers");
  expect(tab.offences).toEqual([]);
}, 300_000);

test("a restore is checked first, and goes into a new database", async () => {
  await using tab = await browser.open();
  const { page } = tab;
  await page.goto(`${api.url}/databases/shop`);
  await page.getByRole("link", { name: "Restore the newest…" }).click();
  await page.getByLabel("Name of the new database").fill("shop");
  await page.getByRole("button", { name: "Check" }).click();
  expect(await page.textContent(".checks")).toMatch(/"shop" exists and holds/);
  expect(await page.getByText("It cannot begin before").isVisible()).toBe(true);
  await page.getByLabel("Name of the new database").fill("shop_again");
  await page.getByRole("button", { name: "Check" }).click();
  await page.getByRole("button", { name: "Restore into shop_again" }).click();
  await page.getByText("The restore has begun").waitFor();
  await page.locator("#restores li", { hasText: "shop_again" }).waitFor({ timeout: 120_000 });
  expect(tab.offences).toEqual([]);
}, 300_000);
