import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { findProgram, makeTempDir } from "@trivault/testkit";
import { type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core";

/** Pictures for somebody to look at, where TEST_PICTURES is set: they prove nothing, and cost as much as what does. */
const PICTURES = process.env["TEST_PICTURES"] !== undefined;
const SHOTS = path.resolve(import.meta.dirname, "../../../test-artifacts/dashboard");
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const ARGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Runs in the page, for whose types this program has no library. */
const STICKING_OUT = `document.documentElement.scrollWidth <= innerWidth ? [] :
  [...document.querySelectorAll("main *, header *")]
    .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
    .slice(0, 5)
    .map(({ tagName, className, textContent }) => [tagName, className, textContent.slice(0, 40)].join(" "))`;

const SHOWN = `[...new Set([...document.querySelectorAll("body *")]
  .filter((element) => element.checkVisibility())
  .map(({ tagName, className }) => [tagName, className].join(" ")))]`;

const WHOLE_PAGE = `({ width: innerWidth, height: document.documentElement.scrollHeight })`;

export const WIDE = { width: 1360, height: 850 };
export const PHONE = { width: 375, height: 780 };

export interface TestBrowser extends AsyncDisposable {
  open(options?: BrowserContextOptions): Promise<Tab>;
}

/** A page of a context of its own, and all that it did which no page of ours may do. */
export interface Tab extends AsyncDisposable {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Errors and warnings of the console, uncaught errors, requests to other hosts: must stay empty. */
  readonly offences: string[];
  /** What axe finds wrong with the page as it is now, a line each. */
  violations(rules?: readonly string[]): Promise<string[]>;
  /** What sticks out of the window to the right. */
  overflow(): Promise<string[]>;
  /** The kinds (tag and classes) of all elements that are shown. */
  shown(): Promise<string[]>;
  /** A picture for somebody to look at, where they are asked for. */
  shoot(name: string, fullPage?: boolean): Promise<void>;
}

export async function openBrowser(): Promise<TestBrowser> {
  const profile = await makeTempDir("tv-chromium");
  const browser = await chromium.launchPersistentContext(profile.path, {
    executablePath: findProgram("chromium", "chromium"),
    args: ARGS,
  });
  if (PICTURES) await mkdir(SHOTS, { recursive: true });
  return {
    async open(options = {}) {
      const whole = browser.browser();
      if (whole === null) throw new Error("the browser is gone");
      return openTab(await whole.newContext({ viewport: WIDE, locale: "en-GB", ...options }));
    },
    async [Symbol.asyncDispose]() {
      await browser.close();
      await profile.remove();
    },
  };
}

async function openTab(context: BrowserContext): Promise<Tab> {
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  const offences: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) offences.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => offences.push(`uncaught: ${error.message}`));
  page.on("request", (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (protocol.startsWith("http") && hostname !== "127.0.0.1") offences.push(`foreign: ${request.url()}`);
  });
  return {
    page,
    context,
    offences,
    async violations(rules) {
      if (!(await page.evaluate<boolean>(`"axe" in window`))) await page.evaluate(AXE);
      const options = rules === undefined ? {} : { runOnly: { type: "rule", values: rules } };
      const run = `axe.run(${JSON.stringify({ resultTypes: ["violations"], preload: false, iframes: false, ...options })})`;
      const found = await page.evaluate<AxeResults>(run);
      return found.violations.flatMap(({ id, help, nodes }) =>
        nodes.map(({ target }) => `${id}: ${help}: ${target.join(" ")}`),
      );
    },
    shown: () => page.evaluate<string[]>(SHOWN),
    overflow: () => page.evaluate<string[]>(STICKING_OUT),
    async shoot(name, fullPage = true) {
      if (!PICTURES) return;
      // By hand, as Playwright's own takes twice the time: it waits for fonts, and packs tightly.
      const { width, height } = await page.evaluate<{ width: number; height: number }>(
        fullPage ? WHOLE_PAGE : "({ width: innerWidth, height: innerHeight })",
      );
      const { data } = await session.send("Page.captureScreenshot", {
        format: "png",
        captureBeyondViewport: fullPage,
        optimizeForSpeed: true,
        ...(fullPage ? { clip: { x: 0, y: 0, width, height, scale: 1 } } : {}),
      });
      await writeFile(path.join(SHOTS, `${name}.png`), data, "base64");
    },
    [Symbol.asyncDispose]: () => context.close(),
  };
}

interface AxeResults {
  readonly violations: readonly {
    readonly id: string;
    readonly help: string;
    readonly nodes: readonly { readonly target: readonly string[] }[];
  }[];
}
