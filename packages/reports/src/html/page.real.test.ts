import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { findProgram, makeTempDir, type TempDir } from "@trivault/testkit";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { sample, type SampleOptions } from "../../test/sample.ts";
import { buildReport } from "../build-report.ts";
import { renderReport } from "../render.ts";

/** Kept after the tests, for somebody to look at. */
const SHOTS = path.resolve(import.meta.dirname, "../../../../test-artifacts/reports");
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const WIDTHS = { wide: 720, phone: 375 } as const;

let profile: TempDir;
let browser: BrowserContext;
beforeAll(async () => {
  profile = await makeTempDir("tv-chromium");
  browser = await chromium.launchPersistentContext(profile.path, {
    executablePath: findProgram("chromium", "chromium"),
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"],
  });
  await mkdir(SHOTS, { recursive: true });
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await profile?.remove();
});

async function withPage<T>(html: string, use: (page: Page) => Promise<T>): Promise<T> {
  const page = await browser.newPage();
  try {
    await page.setContent(html);
    return await use(page);
  } finally {
    await page.close();
  }
}

const mailOf = (options: SampleOptions) => renderReport(buildReport(sample(options).input)).mail.html;
const PAGES = {
  troubles: mailOf({}),
  well: mailOf({ troubles: false, databases: 3, days: 31, language: "fr" }),
  many: mailOf({ databases: 300, days: 1 }),
  nothing: mailOf({ databases: 0, troubles: false }),
};

describe.each(Object.entries(PAGES))("%s", (name, html) => {
  test.each([
    ["light", "wide"],
    ["dark", "phone"],
  ] as const)(
    "%s, %s: fits its window, and can be read by everybody",
    async (colorScheme, size) => {
      await withPage(html, async (page) => {
        await page.setViewportSize({ width: WIDTHS[size], height: 900 });
        await page.emulateMedia({ colorScheme });
        await page.screenshot({ path: path.join(SHOTS, `${name}-${colorScheme}-${size}.png`), fullPage: true });
        expect(await page.evaluate<number>("document.documentElement.scrollWidth")).toBeLessThanOrEqual(WIDTHS[size]);
        await page.evaluate(AXE);
        const found = await page.evaluate<AxeResults>('axe.run(JSON.parse(\'{"resultTypes":["violations"]}\'))');
        const problems = found.violations.flatMap(({ id, nodes }) =>
          nodes.map(({ target }) => `${id}: ${target.join(" ")}`),
        );
        // A mail is no page with landmarks, and its heads of tables are as mail programs want them.
        expect(problems.filter((line) => !/^(?:region|landmark-one-main):/.test(line))).toEqual([]);
      });
    },
    60_000,
  );
});

test("on paper it is whole, in black on white, and no row is torn", async () => {
  await withPage(PAGES.troubles, async (page) => {
    await page.emulateMedia({ colorScheme: "light", media: "print" });
    const file = path.join(SHOTS, "troubles.pdf");
    const pdf = await page.pdf({ path: file, format: "A4", preferCSSPageSize: true });
    expect(pdf.subarray(0, 5).toString()).toBe("%PDF-");
    const pages = pdf.toString("latin1").match(/\/Type\s*\/Page\b/g)?.length ?? 0;
    expect(pages).toBeGreaterThanOrEqual(2);
    expect(pages).toBeLessThanOrEqual(4);
    expect(await page.evaluate<string>("getComputedStyle(document.body).backgroundColor")).toBe("rgb(255, 255, 255)");
    expect(await page.locator(".no-print").isVisible()).toBe(false);
    expect(await page.evaluate<string>("getComputedStyle(document.querySelector('tbody tr')).breakInside")).toBe(
      "avoid",
    );
  });
}, 60_000);

interface AxeResults {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly target: readonly string[] }[];
  }[];
}
