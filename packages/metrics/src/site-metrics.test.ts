import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { type AuditLog, openAuditLog } from "@trivault/audit";
import { newBackupId, silentLogger } from "@trivault/core";
import type { Overview } from "@trivault/monitor";
import { ago, databaseHealth, eventsOf, NOW, overview, TIERS, tierHealth } from "../test/example.ts";
import { createSiteMetrics, type SiteMetricsDeps } from "./site-metrics.ts";

let backupDir: string;
let audit: AuditLog;
beforeEach(async () => {
  backupDir = await mkdtemp(path.join(tmpdir(), "tv-metrics-"));
  audit = openAuditLog(path.join(backupDir, "audit"), { now: () => ago(60) });
});
afterEach(async () => {
  await audit.close();
  await rm(backupDir, { recursive: true });
});

async function scrape(look: () => Promise<Overview>, changes: Partial<SiteMetricsDeps> = {}) {
  const tiers = TIERS.map(
    (name) => ({ name, kind: "local", directory: "/", budget: null, origin: "environment", prices: {} }) as const,
  );
  const text = await createSiteMetrics({
    config: { backupDir, tiers },
    observer: { overview: look },
    audit,
    queues: async () => [],
    alerts: () => [],
    now: () => NOW,
    log: silentLogger(),
    answerMs: 60_000,
    ...changes,
  })();
  return {
    text,
    /** The value of the one series that begins so. */
    value: (series: string): number | null => {
      const found = text.split("\n").filter((line) => line.startsWith(`${series} `));
      expect(found.length).toBeLessThan(2);
      return found[0] === undefined ? null : Number(found[0].split(" ").at(-1));
    },
  };
}

test("has each database on each tier, from the newest look, as old as it is now", async () => {
  for (const event of eventsOf("shop", "1")) await audit.record(event);
  const { value } = await scrape(async () => overview(["shop"]));
  expect(value("trivault_site_safe")).toBe(1);
  expect(value('trivault_copy_age_seconds{database="shop",tier="cloud"}')).toBe(3000);
  expect(value('trivault_copy_last_success_timestamp_seconds{database="shop",tier="cloud"}')).toBe(
    ago(3000).getTime() / 1000,
  );
  expect(value('trivault_database_last_run_state{database="shop",state="ok"}')).toBe(1);
  expect(value('trivault_database_last_run_state{database="shop",state="failed"}')).toBe(0);
  expect(value('trivault_tier_growth_bytes_per_second{tier="cloud"}')).toBe(1);
  expect(value('trivault_tier_full_timestamp_seconds{tier="cloud"}')).toBeNull();
  expect(value('trivault_stage_attempts_total{database="shop",stage="copy",tier="cloud",outcome="ok"}')).toBe(1);
  expect(value('trivault_stage_attempts_total{database="shop",stage="copy",tier="cloud",outcome="failed"}')).toBe(0);
  expect(value('trivault_missed_runs_total{database="shop"}')).toBe(0);
});

test("9.A8 a backup that is dated ahead is as old as the time since it was seen", async () => {
  const newestBackupId = newBackupId(new Date(NOW.getTime() + 20 * 3_600_000));
  const ahead = {
    tier: "cloud",
    ok: true,
    newestBackupId,
    ageSeconds: 3000,
    backups: 1,
    bytes: 1,
    unknown: 0,
    lacking: 0,
  };
  const look = overview([], { databases: [databaseHealth("shop", { tiers: [ahead] })] });
  const { value } = await scrape(async () => look);
  const seen = new Date(look.at).getTime() / 1000 - 3000;
  expect(value('trivault_copy_last_success_timestamp_seconds{database="shop",tier="cloud"}')).toBe(seen);
  expect(value('trivault_copy_age_seconds{database="shop",tier="cloud"}')).toBe(NOW.getTime() / 1000 - seen);
});

test("an observer that has stopped looking makes nothing seem safe for ever", async () => {
  const { value } = await scrape(async () => overview(["shop"]), { now: () => new Date(NOW.getTime() + 86_400_000) });
  expect(value('trivault_copy_objective_met{database="shop",tier="local"}')).toBe(0);
  expect(value('trivault_database_safe{database="shop"}')).toBe(0);
  expect(value("trivault_site_safe")).toBe(0);
});

test("9.A1 9.A7 copies that cannot be read, and those that nobody known here signed, are counted as such", async () => {
  const tiers = [tierHealth("cloud", { complete: 3, unknown: 2, untrusted: 8 })];
  const { value } = await scrape(async () => overview(["shop"], { tiers }));
  const copies = (state: string) => value(`trivault_tier_copies{tier="cloud",state="${state}"}`);
  expect(["complete", "damaged", "untrusted", "partial", "unknown"].map(copies)).toEqual([3, 0, 8, 0, 2]);
});

test("what is not known is absent, and not 0", async () => {
  const none = { ok: false, newestBackupId: null, ageSeconds: null, backups: 0, bytes: 0, unknown: 0, lacking: null };
  const database = databaseHealth("new", {
    ok: false,
    objectiveSeconds: null,
    nextRun: null,
    tiers: TIERS.map((tier) => ({ tier, ...none })),
  });
  const look = {
    ...overview([], {
      ok: false,
      databases: [database],
      tiers: [tierHealth("cloud", { reachable: false, free: null, total: null })],
    }),
    databases: [{ name: "new", strip: [], runs: 0, runsOk: 0 }],
    tiers: [],
  };
  const { text, value } = await scrape(async () => look);
  expect(value('trivault_copy_objective_met{database="new",tier="cloud"}')).toBe(0);
  expect(value('trivault_tier_reachable{tier="cloud",kind="s3"}')).toBe(0);
  for (const absent of ["copy_age_seconds", "copy_lacking", "last_run_state", "objective_seconds", "tier_free_bytes"])
    expect(text).not.toContain(absent);
});

test("answers although nothing can be asked, and says so", async () => {
  const away = () => Promise.reject(new Error("away"));
  const { value, text } = await scrape(away, {
    queues: away,
    audit: {
      async *query() {
        yield* [];
        throw new Error("away");
      },
    },
  });
  expect(value("trivault_observer_up")).toBe(0);
  expect(value("trivault_record_up")).toBe(0);
  expect(value("trivault_queue_up")).toBe(0);
  expect(text).not.toContain("trivault_queue_jobs");
});

test("queues, heartbeats and alerts are shown by their labels, whatever is in them", async () => {
  const facts = { waiting: 2, active: 1, delayed: 0, completed: 9, failed: 0, workers: 3, oldestWaitingSeconds: 12.5 };
  const { value } = await scrape(async () => overview(['a "b"\\\n']), {
    queues: async () => [{ queue: "dump", ...facts }],
    alerts: () => [
      { rule: "tier-unreachable", severity: "critical", silence: null },
      { rule: "tier-unreachable", severity: "critical", silence: null },
      { rule: "tier-unreachable", severity: "critical", silence: { reason: "moving" } },
    ],
  });
  expect(value('trivault_queue_jobs{queue="dump",state="waiting"}')).toBe(2);
  expect(value('trivault_queue_oldest_waiting_seconds{queue="dump"}')).toBe(12.5);
  expect(value('trivault_alerts_firing{rule="tier-unreachable",severity="critical"}')).toBe(2);
  expect(value('trivault_alerts_firing{rule="run-failed",severity="warning"}')).toBe(0);
  expect(value('trivault_database_safe{database="a \\"b\\"\\\\\\n"}')).toBe(1);
});
