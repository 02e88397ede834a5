import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { findProgram, freePort, until } from "@trivault/testkit";
import { FAMILIES } from "../packages/metrics/src/families.ts";
import { dashboardExpressions, dashboardPanels, documentedMetrics, exposedMetrics } from "./support/metric-names.ts";
import { startWatchedSite, type WatchedSite } from "./support/watched-site.ts";

const DEPLOY = path.resolve(import.meta.dirname, "../deploy");
const DOCS = path.resolve(import.meta.dirname, "../docs/metrics.md");
const promtool = findProgram("promtool", "prometheus");

let site: WatchedSite;
let backupId: string;
let apiText: string;
let workerText: string;
/** That come with a process, by prom-client's names; docs/metrics.md does not list them one by one. */
const ofProcess = (name: string) => /^trivault_(?:process|nodejs)_/.test(name);

beforeAll(async () => {
  site = await startWatchedSite();
  backupId = await site.backUp();
  await until(async () => {
    apiText = await (await site.api("GET", "/metrics")).text();
    return apiText.includes("\ntrivault_site_safe 1\n") && apiText.includes('stage="copy"');
  });
  workerText = await (await fetch(`${site.workerUrl}/metrics`)).text();
});
afterAll(async () => {
  await site?.[Symbol.asyncDispose]();
});

const valueOf = (text: string, series: string) =>
  Number(
    text
      .split("\n")
      .find((line) => line.startsWith(`${series} `))
      ?.slice(series.length + 1),
  );
const check = (args: readonly string[], input = "") => {
  const { status, stdout, stderr } = spawnSync(promtool, args, { input, encoding: "utf8", cwd: DEPLOY });
  return { status, said: status === 0 ? "" : `${stdout}${stderr}` };
};
const fine = { status: 0, said: "" };

describe("the API", () => {
  test("shows a backup on every tier, the queues and itself", () => {
    const tiers = ["local", "disk"];
    for (const tier of tiers) {
      const copy = `{database="shop",tier="${tier}"}`;
      expect(valueOf(apiText, `trivault_copy_objective_met${copy}`)).toBe(1);
      expect(valueOf(apiText, `trivault_copy_backups${copy}`)).toBe(1);
      expect(valueOf(apiText, `trivault_copy_bytes${copy}`)).toBeGreaterThan(10_000);
      expect(valueOf(apiText, `trivault_copy_age_seconds${copy}`)).toBeLessThan(600);
    }
    expect(valueOf(apiText, 'trivault_stage_bytes_total{database="shop",stage="copy",tier="disk"}')).toBeGreaterThan(0);
    expect(valueOf(apiText, 'trivault_queue_workers{queue="dump"}')).toBe(1);
    expect(valueOf(apiText, "trivault_queue_up")).toBe(1);
    expect(apiText).toMatch(/^trivault_heartbeat_age_seconds\{service="worker",/m);
    expect(valueOf(apiText, "trivault_process_resident_memory_bytes")).toBeGreaterThan(1e7);
  });

  test("asks who wants to know", async () => {
    expect((await fetch(`${site.apiUrl}/metrics`)).status).toBe(401);
  });
});

describe("the worker", () => {
  test("shows the jobs that it carried out, and that it is healthy", async () => {
    expect(valueOf(workerText, 'trivault_jobs_total{queue="dump",outcome="completed"}')).toBe(1);
    expect(valueOf(workerText, 'trivault_job_duration_seconds_count{queue="encrypt"}')).toBe(1);
    expect(valueOf(workerText, 'trivault_job_bytes_total{queue="remote-sync"}')).toBeGreaterThan(10_000);
    expect(valueOf(workerText, 'trivault_jobs_active{queue="dump"}')).toBe(0);
    const health = await fetch(`${site.workerUrl}/healthz`);
    expect({ status: health.status, body: await health.json() }).toEqual({ status: 200, body: { status: "ok" } });
    expect((await fetch(`${site.workerUrl}/`)).status).toBe(404);
    expect((await fetch(`${site.workerUrl}/metrics`, { method: "POST" })).status).toBe(405);
  });
});

describe("promtool", () => {
  test("finds nothing wrong with what is exposed", () => {
    expect(check(["check", "metrics"], apiText)).toEqual(fine);
    expect(check(["check", "metrics"], workerText)).toEqual(fine);
  });

  test("sees each alert rule fire when it shall, and only then", () => {
    expect(check(["check", "rules", "prometheus/trivault.rules.yml"])).toEqual(fine);
    expect(check(["test", "rules", "prometheus/trivault.rules.test.yml"])).toEqual(fine);
  });

  test("has a case of every alert", async () => {
    const rules = await readFile(path.join(DEPLOY, "prometheus/trivault.rules.yml"), "utf8");
    const cases = await readFile(path.join(DEPLOY, "prometheus/trivault.rules.test.yml"), "utf8");
    const alerts = [...rules.matchAll(/- alert: (\w+)/g)].map(([, name = ""]) => name);
    expect(alerts.length).toBeGreaterThan(15);
    expect(alerts.filter((name) => !cases.includes(`alertname="${name}"`))).toEqual([]);
  });
});

describe("names", () => {
  const exposed = () => new Map([...exposedMetrics(apiText), ...exposedMetrics(workerText)]);

  test("docs/metrics.md names every metric and its labels, and none that does not exist", async () => {
    const documented = documentedMetrics(await readFile(DOCS, "utf8"));
    const mayBe = new Map(Object.entries(FAMILIES).map(([name, { labels }]) => [name, [...labels].toSorted()]));
    for (const [name, labels] of exposed()) if (!ofProcess(name) && !mayBe.has(name)) mayBe.set(name, labels);
    expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(mayBe));
    for (const [name, labels] of exposed())
      if (!ofProcess(name)) expect({ name, labels }).toEqual({ name, labels: documented.get(name) });
  });

  test("rules and dashboard ask for metrics that exist", async () => {
    const rules = await readFile(path.join(DEPLOY, "prometheus/trivault.rules.yml"), "utf8");
    const dashboard = await readFile(path.join(DEPLOY, "grafana/trivault.json"), "utf8");
    const asked = [...`${rules} ${dashboard}`.matchAll(/\btrivault_[a-z_]+/g)].map(([name]) => name);
    const known = new Set([...exposed().keys(), ...Object.keys(FAMILIES)]);
    expect(asked.length).toBeGreaterThan(50);
    expect(asked.filter((name) => !known.has(name.replace(/_bucket$/, "")))).toEqual([]);
  });
});

describe("the dashboard for Grafana", () => {
  test("has panels with ids of their own, beside one another and within its width", async () => {
    const panels = dashboardPanels(await readFile(path.join(DEPLOY, "grafana/trivault.json"), "utf8"));
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    for (const [index, { title, gridPos: a }] of panels.entries()) {
      expect({ title, right: a.x + a.w <= 24 }).toEqual({ title, right: true });
      const under = panels.slice(index + 1).filter(({ gridPos: b }) => {
        return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
      });
      expect({ title, under: under.map((panel) => panel.title) }).toEqual({ title, under: [] });
    }
  });
});

test("a real Prometheus scrapes both with the example's configuration, evaluates the rules and answers the dashboard", async () => {
  await using prometheus = await startPrometheus();
  await until(async () => (await prometheus.query('sum(up{job=~"trivault.*"})'))[0]?.value[1] === "2");
  await until(async () => {
    const [databases] = await prometheus.query("trivault:databases");
    const [safe] = await prometheus.query("trivault:databases_safe");
    return databases?.value[1] === "1" && safe?.value[1] === "1";
  });
  const firing = await prometheus.query('ALERTS{alertstate="firing"}');
  expect(firing.map(({ metric }) => metric["alertname"])).toEqual([]);

  const dashboard = await readFile(path.join(DEPLOY, "grafana/trivault.json"), "utf8");
  const empty: string[] = [];
  for (const expression of dashboardExpressions(dashboard)) {
    const answer = await prometheus.query(expression); // throws on what Prometheus does not understand
    if (answer.length === 0) empty.push(expression);
  }
  // Those that ask for failures, rates of a few seconds, and what no tier here reports.
  expect(empty.filter((expression) => !/increase|rate\(|_latency_|_growth_|_full_|_cost_/.test(expression))).toEqual(
    [],
  );
});

test("one backup is one trace, over both processes, without a secret", async () => {
  await until(async () => site.spans.some(({ name }) => name === "process remote-sync"));
  const post = site.spans.find(({ name }) => name === "POST /api/v1/backups");
  const ofBackup = site.spans.filter(({ traceId }) => traceId === post?.traceId);
  const trail = (name: string): string[] => {
    const names: string[] = [];
    for (let span = ofBackup.find((each) => each.name === name); span;) {
      names.unshift(`${span.service}: ${span.name}`);
      const { parentSpanId } = span;
      span = ofBackup.find(({ spanId }) => spanId === parentSpanId);
    }
    return names;
  };
  await until(async () => trail("process remote-sync").length > 1);
  expect(trail("process remote-sync")).toEqual([
    "trivault-api: POST /api/v1/backups",
    "trivault-api: add dump.dump",
    "trivault-worker: process dump",
    "trivault-worker: add encrypt.encrypt",
    "trivault-worker: process encrypt",
    "trivault-worker: add remote-sync.remote-sync",
    "trivault-worker: process remote-sync",
  ]);
  expect(post?.attributes).toMatchObject({ "http.response.status_code": 202 });
  const copy = ofBackup.find(({ name }) => name === "process remote-sync");
  expect(copy?.attributes).toMatchObject({
    "trivault.database": "shop",
    "trivault.backup_id": backupId,
    "trivault.tier": "disk",
    "trivault.bytes": expect.any(Number),
  });
  expect(ofBackup.filter(({ name }) => !/^(?:POST|add|process) /.test(name))).toEqual([]);
  expect(site.sent()).not.toContain(site.postgres.password);
  expect(site.sent()).not.toContain(site.token);
});

describe("when Redis is gone", () => {
  test("both report it, and go on answering", async () => {
    await site.redis.stop();
    await until(async () => (await fetch(`${site.workerUrl}/healthz`)).status === 503);
    const text = await (await site.api("GET", "/metrics")).text();
    expect(valueOf(text, "trivault_queue_up")).toBe(0);
    expect(text).not.toContain("trivault_queue_workers");
    expect(valueOf(text, 'trivault_database_safe{database="shop"}')).toBe(1);
  });
});

interface Answer {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

/** The example's configuration, with this site's addresses and a scrape each second. */
async function startPrometheus(): Promise<AsyncDisposable & { query(expression: string): Promise<readonly Answer[]> }> {
  const folder = path.join(site.folder, "prometheus");
  await mkdir(folder);
  const example = await readFile(path.join(DEPLOY, "prometheus/prometheus.yml"), "utf8");
  const config = example
    .replaceAll(/_interval: 15s/g, "_interval: 1s")
    .replace("127.0.0.1:3000", new URL(site.apiUrl).host)
    .replace("127.0.0.1:9464", new URL(site.workerUrl).host);
  await writeFile(path.join(folder, "prometheus.yml"), config);
  await writeFile(path.join(folder, "api-token"), site.token);
  await copyFile(path.join(DEPLOY, "prometheus/trivault.rules.yml"), path.join(folder, "trivault.rules.yml"));
  const port = await freePort();
  const child: ChildProcess = spawn(
    findProgram("prometheus", "prometheus"),
    ["--config.file=prometheus.yml", "--storage.tsdb.path=data", `--web.listen-address=127.0.0.1:${port}`],
    { cwd: folder, stdio: ["ignore", "ignore", "pipe"] },
  );
  let log = "";
  child.stderr?.on("data", (chunk: Buffer) => (log += chunk.toString()));
  const exited = once(child, "exit");
  const stop = async () => {
    child.kill("SIGKILL");
    await exited;
  };
  try {
    await until(async () => {
      if (child.exitCode !== null) throw new Error(log);
      return (await fetch(`http://127.0.0.1:${port}/-/ready`)).ok;
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    async query(expression) {
      const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expression)}`;
      const answer = (await (await fetch(url)).json()) as {
        status: string;
        error?: string;
        data: { result: Answer[] };
      };
      if (answer.status !== "success") throw new Error(`${expression}: ${answer.error}`);
      return answer.data.result;
    },
    [Symbol.asyncDispose]: stop,
  };
}
