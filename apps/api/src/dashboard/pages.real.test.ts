import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import {
  restorePage,
  cleanupPage,
  backupPage,
  type BackupView,
  loginPage,
  auditPage,
  reportsPage,
  type View,
} from "@trivault/dashboard";
import { asOf, backupOf, LOG, type Site, SITES } from "@trivault/dashboard/fixtures";
import { type RedisServer, startRedis } from "@trivault/testkit";
import { appUnderTest, closeApps } from "../../test/app-under-test.ts";
import { openBrowser, PHONE, type Tab, type TestBrowser, WIDE } from "../../test/browser.ts";
import { deskOf, observerOf } from "../../test/fixture-site.ts";
import { sendPage } from "../page.ts";
import { assetUrl } from "./assets.ts";
import { viewOf } from "./view-of.ts";

afterEach(closeApps);

/** Every page in a real Chromium, on sites that are made up: light and dark, wide and on a phone. */

let browser: TestBrowser;
let redis: RedisServer;
let tab: Tab;
beforeAll(async () => {
  [browser, redis] = await Promise.all([openBrowser(), startRedis()]);
});
afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await redis.stop();
});
// Half a minute on a machine that does nothing else; it may do much else.
const PATIENCE_MS = 300_000;
afterEach(async () => tab[Symbol.asyncDispose]());

/** The real app over a site, and pages of it that need more than that: `extra` by their paths. */
async function serve(site: Site, extra: Readonly<Record<string, (view: View) => string>> = {}): Promise<string> {
  const { app, deps } = appUnderTest({
    token: null,
    redisUrl: redis.url,
    observer: observerOf(site),
    alerts: deskOf(site),
  });
  for (const [path, page] of Object.entries(extra)) {
    app.get(path, { schema: { hide: true }, config: { access: "viewer" } }, async (request, reply) =>
      sendPage(reply, page(viewOf(deps, request))),
    );
  }
  return app.listen({ host: "127.0.0.1", port: 0 });
}

/** What can be otherwise than in the variant before it; undefined stands for all rules. */
const RULES: Readonly<Record<string, readonly string[] | "none" | undefined>> = {
  "wide dark": ["color-contrast"],
  // The same elements, or fewer, in other places.
  "phone light": ["color-contrast", "scrollable-region-focusable"],
  "phone dark": "none",
};

/** Looks at pages: names of their pictures, and where they are. */
async function lookAtAll(base: string, pages: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, path] of Object.entries(pages)) await look(base + path, name);
}

/** Small sites whole; of large ones what a person sees first, as axe takes seconds for each variant of hundreds of rows. */
async function look(url: string, name: string, large = false): Promise<void> {
  const { page } = tab;
  await page.setViewportSize(WIDE);
  await page.emulateMedia({ colorScheme: "light" });
  await page.goto(url, { waitUntil: "load" });
  const found: string[] = [];
  const wide = new Set(await tab.shown());
  for (const [size, viewport] of Object.entries({ wide: WIDE, phone: PHONE })) {
    await page.setViewportSize(viewport);
    for (const theme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme: theme });
      const variant = `${size} ${theme}`;
      const rules = RULES[variant];
      if (rules !== "none" && !(large && theme === "dark")) {
        found.push(...(await tab.violations(rules)).map((each) => `${variant}: ${each}`));
      }
      found.push(...(await tab.overflow()).map((each) => `${variant}: sticks out: ${each}`));
      found.push(
        ...(await tab.shown()).filter((each) => !wide.has(each)).map((each) => `${variant}: not wide: ${each}`),
      );
      // In the dark what is seen first is enough: a picture of a whole page takes its time.
      await tab.shoot(`${name}-${size}-${theme}`, !large && theme === "light");
    }
  }
  expect({ url, found, offences: tab.offences }).toEqual({ url, found: [], offences: [] });
}

describe("without violations of accessibility, errors, or anything from elsewhere", () => {
  test(
    "an empty site",
    async () => {
      tab = await browser.open();
      await lookAtAll(await serve(SITES.empty()), {
        "empty-overview": "/",
        "empty-tiers": "/tiers",
        "empty-tier": "/tiers/local",
        "empty-alerts": "/alerts",
        "empty-audit": "/audit",
        "empty-reports": "/reports",
      });
    },
    PATIENCE_MS,
  );

  test(
    "a healthy site",
    async () => {
      tab = await browser.open();
      const site = SITES.healthy();
      await lookAtAll(await serve(site, { "/backup": (view) => backupPage(view, backup(site, "ok")) }), {
        "healthy-database": "/databases/shop",
        "healthy-overview": "/",
        "healthy-tier": "/tiers/cloud",
        "healthy-backup": "/backup",
      });
    },
    PATIENCE_MS,
  );

  test(
    "a failing site",
    async () => {
      tab = await browser.open();
      const site = SITES.failing();
      const base = await serve(site, {
        "/incomplete": (view) => backupPage(view, backup(site, "incomplete")),
        "/failed": (view) => backupPage(view, backup(site, "failed")),
      });
      const without = site.databases.find(({ runs }) => runs.length === 0)?.health.name ?? "";
      await lookAtAll(base, {
        "failing-database": "/databases/crm",
        "failing-overview": "/",
        "failing-no-backup": `/databases/${without}`,
        "failing-tiers": "/tiers",
        "failing-tier": "/tiers/cloud",
        "failing-alerts": "/alerts",
        "failing-backup-incomplete": "/incomplete",
        "failing-backup-failed": "/failed",
      });
    },
    PATIENCE_MS,
  );

  test(
    "300 databases",
    async () => {
      tab = await browser.open();
      await look(`${await serve(SITES.many())}/`, "many-overview", true);
      expect(await tab.page.locator("#rows tr").count()).toBe(300);
    },
    PATIENCE_MS,
  );

  test(
    "what one comes to by doing something",
    async () => {
      tab = await browser.open();
      const site = SITES.healthy();
      const common = { language: "en", now: new Date(), assetUrl, next: "/", csrf: "x" } as const;
      const base = await serve(site, {
        [`/running/${RESTORE.backupId}`]: (view) => backupPage(view, backup(site, "running")),
        "/restore": (view) => restorePage(view, RESTORE),
        "/cleanup": (view) => cleanupPage(view, CLEANUP),
        "/log": (view) =>
          auditPage(view, {
            lines: asOf(LOG, view.now),
            filter: NO_FILTER,
            actions: ["backup.dump"],
            databases: ["shop"],
            older: "/audit?before=1",
          }),
        "/kept-reports": (view) => reportsPage(view, REPORTS),
        "/password": () =>
          loginPage({ ...common, step: "password", problem: "User and password do not fit. Try again." }),
        "/code": () => loginPage({ ...common, step: "code", problem: null }),
      });
      await lookAtAll(base, {
        running: `/running/${RESTORE.backupId}`,
        restore: "/restore",
        cleanup: "/cleanup",
        log: "/log",
        "kept-reports": "/kept-reports",
        password: "/password",
        code: "/code",
      });
      tab.offences.length = 0;
      await tab.page.goto(`${base}/databases/nothing`);
      expect(tab.offences).toEqual([expect.stringContaining("404")]);
      expect(await tab.page.textContent("main")).toMatch(/There is no database "nothing" here/);
      expect(await tab.violations()).toEqual([]);
      await tab.shoot("problem");
    },
    PATIENCE_MS,
  );
});

describe("with scripts", () => {
  test("the theme is kept, and holds before the first paint", async () => {
    tab = await browser.open({ colorScheme: "light" });
    const { page } = tab;
    const base = await serve(SITES.healthy());
    const ground = () => page.evaluate<string>("getComputedStyle(document.body).backgroundColor");
    await page.goto(`${base}/`);
    const light = await ground();
    await page.getByRole("button", { name: "Dark" }).click();
    const dark = await ground();
    expect(dark).not.toBe(light);
    await page.goto(`${base}/tiers`, { waitUntil: "commit" });
    await page.waitForFunction("document.body !== null");
    expect(await ground()).toBe(dark);
    expect(await page.getByRole("button", { name: "Light" }).isVisible()).toBe(true);
    expect(tab.offences).toEqual([]);
  });

  test("the list is filtered as one types, and by problems", async () => {
    tab = await browser.open();
    const { page } = tab;
    await page.goto(`${await serve(SITES.many())}/`);
    const shown = () => page.locator("#rows tr:visible").count();
    await page.getByRole("searchbox").fill("tenant-04");
    expect(await shown()).toBe(10);
    await page.getByRole("checkbox").check();
    expect(await shown()).toBe(1);
    await page.getByRole("searchbox").fill("nothing like that");
    expect(await page.getByText("No database matches.").isVisible()).toBe(true);
    expect(tab.offences).toEqual([]);
  });

  test("times are in the viewer's zone, with UTC on hover; a page that cannot be refreshed says so", async () => {
    tab = await browser.open({ timezoneId: "Asia/Tokyo" });
    const { page } = tab;
    const base = await serve(SITES.healthy());
    await page.goto(`${base}/`);
    const asOfTime = page.locator(".asof time");
    const iso = (await asOfTime.getAttribute("datetime")) ?? "";
    expect(await asOfTime.getAttribute("title")).toBe(`${iso.slice(0, 19).replace("T", " ").replace("Z", "")} UTC`);
    const tokyo = new Intl.DateTimeFormat("en-GB", { timeZone: "Asia/Tokyo", hour: "2-digit", minute: "2-digit" });
    expect(await asOfTime.textContent()).toBe(tokyo.format(new Date(iso)));
    await tab.context.setOffline(true);
    await page.evaluate("trivault.refresh()");
    expect(await page.locator("#stale").textContent()).toMatch(/could not be updated since \d\d:\d\d/);
    await tab.context.setOffline(false);
    await page.evaluate("trivault.refresh()");
    expect(await page.locator("#stale").isVisible()).toBe(false);
  });

  test("the keyboard leads past the navigation, and into the charts' page and its calendar", async () => {
    tab = await browser.open();
    const { page } = tab;
    await page.goto(`${await serve(SITES.healthy())}/databases/shop`);
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.textContent")).toBe("Skip to the content");
    await page.keyboard.press("Enter");
    expect(await page.evaluate("document.activeElement.id")).toBe("main");
    expect(await page.locator(".plot canvas").count()).toBe(2);
    await page.locator(".month .has a").first().focus();
    await page.keyboard.press("Enter");
    expect(await page.locator("#retention details").getAttribute("open")).not.toBeNull();
    expect(tab.offences).toEqual([]);
  });
});

describe("without scripts", () => {
  test("the first page shows all, filters by its form, and is French where the browser is", async () => {
    tab = await browser.open({ javaScriptEnabled: false, locale: "fr-FR" });
    const { page } = tab;
    await page.goto(`${await serve(SITES.many())}/`);
    expect(await page.textContent("h1")).toBe("299 bases sur 300 sont en sécurité sur trois niveaux");
    expect(await page.getAttribute("html", "lang")).toBe("fr");
    await page.getByRole("searchbox").fill("tenant-042");
    await page.getByRole("button", { name: "Appliquer" }).click();
    expect(await page.locator("#rows tr").count()).toBe(1);
    expect(await page.textContent("#rows")).toMatch(/n’a plus de copie sur cloud depuis/);
  });
});

function backup(site: Site, state: Parameters<typeof backupOf>[1]): BackupView {
  return asOf(backupOf(site, state), new Date());
}

const NO_FILTER = { database: "", action: "", outcome: "", actor: "", from: "", to: "" };
const RESTORE = {
  backupId: "20261123t085430z-7f3k9xq2",
  database: "shop",
  startedAt: "2026-11-23T08:54:30.000Z",
  target: "shop_20261123",
  to: "source-server",
  restoreServer: true,
  sourceServer: true,
  from: "any",
  tiers: ["local", "remote", "cloud"],
  checks: [
    { outcome: "ok", text: "Complete and signed by a known key on local, remote, cloud." },
    { outcome: "unknown", text: "PostgreSQL does not report how much the database server has free." },
    { outcome: "failed", text: "No worker takes restores now. Start `npm start` or `npm run worker`." },
  ],
  problem: null,
} as const;
const CLEANUP = {
  tier: "cloud",
  deletions: ["21", "22"].map((day) => ({
    database: "shop",
    backupId: `202611${day}t085430z-7f3k9xq2`,
    startedAt: `2026-11-${day}T08:54:30.000Z`,
    bytes: 3_400_000_000,
    rule: "beyond daily=7",
    heldUntil: day === "21" ? "2026-11-24T08:54:30.000Z" : null,
  })),
  kept: 120,
  digest: "x",
  warnings: ["remote: The server does not answer."],
  problem: null,
};
const REPORTS = ["23", "22"].map((day, i) => ({
  day: `2026-11-${day}`,
  from: `2026-11-${Number(day) - 1}T07:00:00.000Z`,
  to: `2026-11-${day}T07:00:00.000Z`,
  well: i === 0,
  summary: i === 0 ? "All 10 databases are safe." : "9 of 10 databases are safe; billing has no cloud copy.",
  html: "#",
  json: "#",
}));
