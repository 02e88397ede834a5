import { open, readdir } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Locator } from "playwright-core";
import { startTcpProxy, type TcpProxy } from "@trivault/testkit";
import { openBrowser, type Tab, type TestBrowser } from "../apps/api/test/browser.ts";
import { type RunningApi, startSiteApi } from "./support/site-api.ts";
import { startSite, type TestSite, webShop } from "./support/site.ts";

/** A person sees each tier fail, reads what is still safe, and sees that everything is healthy again. */

let browser: TestBrowser;
let site: TestSite;
let api: RunningApi;
const lines: TcpProxy[] = [];
beforeAll(async () => {
  browser = await openBrowser();
  site = await startSite({
    fill: webShop(1),
    async env({ remote, s3 }) {
      lines.push(await startTcpProxy(remote), await startTcpProxy(addressOf(s3.endpoint)));
      return {
        BACKUP_API_PORT: "0",
        BACKUP_API_OPEN: "true",
        BACKUP_MAINTENANCE_EVERY: "1m",
        BACKUP_REMOTE_SERVER: `127.0.0.1:${lines[0]?.port}`,
        BACKUP_SSH_KNOWN_HOSTS: "",
        BACKUP_SSH_HOST_KEY: remote.fingerprint,
        BACKUP_S3_ENDPOINT: `http://127.0.0.1:${lines[1]?.port}`,
      };
    },
  });
  await site.startWorker();
  api = await startSiteApi(site.env);
}, 300_000);
afterAll(async () => {
  await api?.stop();
  await site?.[Symbol.asyncDispose]();
  for (const line of lines) await line.stop();
  await browser?.[Symbol.asyncDispose]();
});

function addressOf(endpoint: string): { host: string; port: number } {
  const { hostname, port } = new URL(endpoint);
  return { host: hostname, port: Number(port) };
}

test("tiers that are down, a damaged copy, and how all of it heals", async () => {
  await using tab = await browser.open();
  const { page } = tab;
  await backUp(tab);
  await sees(page.locator("h1", { hasText: "complete on every tier" }));
  const first = (await page.locator("#verdict .id").textContent()) ?? "";

  await Promise.all(lines.map((line) => line.down()));
  await backUp(tab);
  for (const tier of ["remote", "cloud"]) {
    const stage = page.locator(`[data-stage=${tier}][data-state=retrying]`);
    await sees(stage);
    expect(await stage.locator(".problem").textContent()).toMatch(/nothing listens there|does not answer|ECONNREFUSED/);
  }
  await tab.shoot("failures-backup");
  const second = (await page.locator("#verdict .id").textContent()) ?? "";

  // The local copy of the first is damaged meanwhile, and a person asks for it to be verified.
  await damage(path.join(site.env["BACKUP_DIR"] ?? "", "shop", first));
  await page.goto(`${api.url}/backups/${first}`);
  await page.getByRole("button", { name: "Verify" }).click();
  await sees(page.locator("#copies tbody tr", { hasText: /local\s+damaged/ }));
  expect(await page.textContent("h1")).toContain("not on every tier");

  await maintain();
  await page.goto(api.url);
  await sees(
    page.locator("#verdict p", { hasText: /remote cannot be reached since .*; cloud cannot be reached since/ }),
  );
  expect(await page.textContent("h1")).toBe("shop is safe in one tier");
  await tab.shoot("failures-overview");
  expect(await tab.violations()).toEqual([]);
  await page.goto(`${api.url}/databases/shop`);
  await tab.shoot("failures-database");
  await page.goto(`${api.url}/alerts`);
  await tab.shoot("failures-alerts");

  await Promise.all(lines.map((line) => line.up()));
  await maintain();
  await page.goto(api.url);
  await sees(page.locator(".verdict.ok h1", { hasText: "shop is safe in three tiers" }));
  await tab.shoot("failures-over");
  for (const id of [first, second]) {
    await page.goto(`${api.url}/backups/${id}`);
    await sees(page.locator("h1", { hasText: "complete on every tier" }));
    expect(await page.locator("#copies tbody tr", { hasText: "complete" }).count()).toBe(3);
  }
  expect(tab.offences).toEqual([]);
}, 600_000);

/** Waits until it is on the page; if it never comes, the error shows what else is there. */
async function sees(place: Locator): Promise<void> {
  try {
    await place.waitFor({ timeout: 150_000 });
  } catch (cause) {
    const page = place.page();
    throw new Error(`${page.url()} says:\n${await page.innerText("body")}`, { cause });
  }
}

/** Now, and not at the next minute. */
async function maintain(): Promise<void> {
  for (const { name } of site.tiers) await site.queues.maintenance.add("maintenance", { tier: name });
}

async function backUp({ page }: Tab): Promise<void> {
  await page.goto(`${api.url}/databases/shop`);
  await page.getByRole("button", { name: "Back up now" }).click();
  await page.waitForURL(/\/backups\/\d{8}t\d{6}z-\w{8}/);
}

async function damage(folder: string): Promise<void> {
  const [segment = ""] = (await readdir(folder)).filter((name) => name.startsWith("data-"));
  await using handle = await open(path.join(folder, segment), "r+");
  const byte = Buffer.alloc(1);
  await handle.read(byte, 0, 1, 500);
  await handle.write(Buffer.from([(byte[0] ?? 0) ^ 1]), 0, 1, 500);
}
