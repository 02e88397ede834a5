import { median } from "./figures.ts";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { availableParallelism, cpus, loadavg } from "node:os";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { makeTempDir } from "@trivault/testkit";
import { openBrowser, PHONE } from "../apps/api/test/browser.ts";
import { makeLargeSite } from "../test/support/large-site.ts";

/**
 * How soon the dashboard of a large site is there in a real Chromium, and what it weighs: an API of its own process, the browser
 * with nothing in its cache, then with its scripts and styles in it. `npx node bench/dashboard.ts [databases] [backups]`.
 */
const [DATABASES = 300, BACKUPS = 100_000] = process.argv.slice(2).map(Number);
const ROUNDS = 5;
const API = path.resolve(import.meta.dirname, "../apps/api/src/main.js");

const say = (line: string) => process.stderr.write(`${line}\n`);

await using folder = await makeTempDir("tv-dashboard");
const site = await makeLargeSite(folder.path, { databases: DATABASES, backups: BACKUPS, failing: 4 });
say(`made ${site.databases.length} databases, ${site.events} events`);
const begun = performance.now();
const { url, child } = await startApi();
await fetch(`${url}/`);
const firstLook = (performance.now() - begun) / 1000;
say(`the service started and answered its first page after ${firstLook.toFixed(1)} s`);
say(`it came to rest ${(await atRest(child)).toFixed(0)} s later`);
const database = site.databases[0] ?? "";
const backup = site.backups.get(database)?.at(-1) ?? "";
const pages = {
  overview: "/",
  database: `/databases/${database}`,
  tier: "/tiers/cloud",
  backup: `/backups/${backup}`,
  record: "/audit",
};
const figures: Record<string, unknown> = { "start to first page": `${firstLook.toFixed(1)} s` };
await using browser = await openBrowser();
for (const [name, where] of Object.entries(pages)) {
  figures[name] = { wide: await measure(where), phone: await measure(where, PHONE) };
}
child.kill("SIGTERM");
await once(child, "exit");
const machine = `${availableParallelism()} CPUs (${cpus()[0]?.model}), load ${loadavg()[0]?.toFixed(1)}`;
process.stdout.write(`${JSON.stringify({ machine, DATABASES, BACKUPS, figures }, null, 2)}\n`);

/** A service that has just started makes the report of the day that it missed as well. Resolves to how long it took. */
async function atRest({ pid }: ChildProcess): Promise<number> {
  const start = performance.now();
  const ticks = async () => {
    const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).replace(/^.*\) /s, "").split(" ");
    return Number(fields[11]) + Number(fields[12]);
  };
  for (let before = await ticks(), calm = 0; calm < 3;) {
    await sleep(1000);
    const now = await ticks();
    calm = now - before < 20 ? calm + 1 : 0; // of 100 in a second
    before = now;
  }
  return (performance.now() - start) / 1000;
}

/** From the navigation's start until all is there; the median of several. `again`: with scripts and styles in its cache. */
async function measure(where: string, viewport?: typeof PHONE) {
  const cold: number[] = [];
  const warm: number[] = [];
  let bytes = 0;
  let html = 0;
  for (let round = 0; round < ROUNDS; round++) {
    await using tab = await browser.open(viewport ? { viewport } : {});
    const { page } = tab;
    const session = await tab.context.newCDPSession(page);
    await session.send("Network.enable");
    // The browser runs already, and knows nothing of these pages.
    await page.goto(`${url}/healthz`).catch(() => undefined);
    tab.offences.length = 0;
    await session.send("Network.setCacheDisabled", { cacheDisabled: true });
    bytes = 0;
    session.on("Network.loadingFinished", ({ encodedDataLength }) => (bytes += encodedDataLength));
    await page.goto(url + where, { waitUntil: "load" });
    cold.push(await loadTime(page));
    const transferred = bytes;
    await session.send("Network.setCacheDisabled", { cacheDisabled: false });
    await page.goto(url + where, { waitUntil: "load" });
    html = await page.evaluate<number>(`performance.getEntriesByType("navigation")[0].encodedBodySize`);
    await page.goto(url + where, { waitUntil: "load" });
    warm.push(await loadTime(page));
    bytes = transferred;
    if (tab.offences.length > 0) throw new Error(tab.offences.join("\n"));
  }
  return {
    "first view": `${median(cold)} ms`,
    again: `${median(warm)} ms`,
    "all ms": cold.join(" "),
    transferred: `${Math.round(bytes / 1000)} kB`,
    html: `${Math.round(html / 1000)} kB`,
  };
}

/** To the end of `load`, and the frame after it painted. */
async function loadTime(page: { evaluate<T>(script: string): Promise<T> }): Promise<number> {
  return page.evaluate<number>(`new Promise((resolve) => requestAnimationFrame(() => setTimeout(() => {
    const [navigation] = performance.getEntriesByType("navigation");
    const paint = performance.getEntriesByName("first-contentful-paint")[0];
    resolve(Math.round(Math.max(navigation.loadEventEnd, paint ? paint.startTime : 0)));
  })))`);
}

async function startApi(): Promise<{ url: string; child: ChildProcess }> {
  const env = { PATH: process.env["PATH"] ?? "", ...site.env, BACKUP_API_PORT: "0" };
  const service = spawn(process.execPath, [API], {
    env,
    cwd: folder.path,
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const [message] = (await once(service, "message")) as [{ url: string }];
  return { url: message.url, child: service };
}
