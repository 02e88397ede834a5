import type { AlertRule } from "@trivault/core";
import { type Incidents, takeEvent } from "../src/incidents.ts";
import type { Observation } from "../src/types.ts";
import { ago, beat, event, NO_INCIDENTS, NOW, observe, testConfig } from "./observations.ts";

const after = (...events: ReturnType<typeof event>[]): Incidents => events.reduce(takeEvent, NO_INCIDENTS);
const failed = (database: string, code: string, message = "pg_dump: connection refused.") =>
  event("backup.dump", { database, error: { code, message } });
const damaged = (database: string, backupId: string) =>
  event("backup.verified", {
    database,
    backupId,
    tier: "cloud",
    details: { state: "damaged" },
    error: { code: "DAMAGED", message: "data-000001.zst: wrong SHA-256" },
  });
const lost = (database: string, copies: number) =>
  event("tier.vanished", { tier: "cloud", database, details: { copies } });
const usual = [50e6, 51e6, 52e6, 50e6, 51e6];
const queues = (waiting: number) => [{ queue: "dump", waiting, workers: 0 } as const];
const site = (more: NonNullable<Parameters<typeof observe>[0]>["site"]) => observe({ site: more ?? {} });
const everywhere = (name: string, age: number | null) =>
  Object.fromEntries(["local", "remote", "cloud"].map((tier) => [`${name}/${tier}`, age]));
const gone = (name: string, backups: number) =>
  ({
    name,
    reason: "gone",
    server: "main",
    since: ago(7200).toISOString(),
    acknowledged: null,
    backups,
    bytes: backups * 1e6,
    newestBackupId: backups === 0 ? null : "20261123t020000z-7f3k9xq2",
  }) as const;
const budget = (whenFull: "stop" | "warn") => {
  const config = testConfig();
  const tiers = config.tiers.map((tier) => ({ ...tier, budget: { bytes: 5e8, whenFull } }));
  return observe({ config: { ...config, tiers }, site: { tier: { cloud: { overBudget: true } } } });
};

/** What each rule may see, with everything in it that changes its words. */
export const SITUATIONS: Readonly<Record<AlertRule, readonly Observation[]>> = {
  "run-failed": [
    observe({ incidents: after(failed("shop", "DUMP_FAILED")) }),
    observe({ incidents: after(failed("shop", "STORE_FULL", ""), failed("billing", "STORE_FULL", "")) }),
    observe({ incidents: after(failed("shop", "DATABASE_REFUSED"), failed("billing", "DATABASE_REFUSED")) }),
  ],
  "objective-missed": [
    site({ ages: { "shop/cloud": 9000 } }),
    site({ ages: { "shop/cloud": null, "billing/cloud": 9000 } }),
    site({ ages: { ...everywhere("shop", 9000), ...everywhere("billing", null) } }),
  ],
  "database-vanished": [
    site({ orphans: [gone("main.blog", 2)] }),
    site({ orphans: [gone("main.blog", 1), gone("main.wiki", 0)] }),
  ],
  "copy-lag": [
    site({ lacking: { "shop/cloud": 1 }, ages: { "shop/cloud": 5000 } }),
    site({ lacking: { "shop/cloud": 1, "billing/cloud": 2 }, ages: { "shop/cloud": 5000, "billing/cloud": 6000 } }),
  ],
  "tier-unreachable": [
    site({ down: ["cloud"] }),
    observe({
      config: { ...testConfig(), databases: testConfig().databases.slice(0, 1) },
      site: { down: ["cloud"] },
    }),
  ],
  "tier-filling": [
    site({ tier: { cloud: { free: 4e9 } } }),
    site({ tier: { cloud: { fullAt: ago(-3 * 86_400).toISOString() } } }),
    site({ tier: { cloud: { free: null, fullAt: ago(-3600).toISOString() } } }),
  ],
  "tier-over-budget": [site({ tier: { cloud: { overBudget: true } } }), budget("stop"), budget("warn")],
  "tier-shrunk": [
    observe({ incidents: after(lost("shop", 1)) }),
    observe({ incidents: after(lost("shop", 12), lost("billing", 3)) }),
  ],
  "damage-found": [
    observe({ incidents: after(damaged("shop", "20261123t020000z-7f3k9xq2")) }),
    observe({
      incidents: after(damaged("shop", "20261123t020000z-7f3k9xq2"), damaged("billing", "20261123t030000z-x")),
    }),
    site({ tier: { cloud: { damaged: 1 } } }),
    site({ tier: { cloud: { damaged: 2 } } }),
  ],
  "untrusted-backups": [site({ tier: { cloud: { untrusted: 1 } } }), site({ tier: { cloud: { untrusted: 8 } } })],
  "unknown-copies": [
    site({ tier: { cloud: { unknown: 1, unknownReason: "access denied" } }, unknown: { "shop/cloud": 1 } }),
    site({ tier: { cloud: { unknown: 5, unknownReason: "access denied" } } }),
  ],
  "size-unusual": [
    site({ sizes: { shop: [...usual, 20e6] } }),
    site({ sizes: { shop: [...usual, 9e9], billing: [...usual, 20e6] } }),
    site({ sizes: { shop: [...usual, 50e6] }, rows: { shop: [9000, 9000, 9100, 9200, 9300, 1] } }),
    site({ sizes: { shop: [...usual, 200e6] }, rows: { shop: [9000, 9000, 9100, 9200, 9300, 90_000] } }),
  ],
  "no-worker": [
    observe({ heartbeats: [], queues: queues(1) }),
    observe({ heartbeats: [], queues: queues(3) }),
    observe({ heartbeats: [], queues: [...queues(0), { queue: "encrypt", waiting: 0, workers: 0 }] }),
    observe({ heartbeats: [], queues: null }),
  ],
  "queue-unreachable": [observe({ queues: { unreachable: "connect ECONNREFUSED" } })],
  "scheduler-silent": [observe({ heartbeats: [beat({ schedulesLookedAt: ago(200) })] })],
  "clock-drift": [
    observe({ heartbeats: [beat({ at: ago(-295) })] }),
    observe({ heartbeats: [beat({ redisDriftSeconds: -90 })] }),
  ],
  expiring: [10, 1, -1].flatMap((days) =>
    (["token", "certificate"] as const).map((kind) => {
      const name = kind === "token" ? "ci" : "s3.example.org:443";
      return observe({ expiries: [{ kind, name, at: ago(-days * 86_400) }] });
    }),
  ),
  "audit-broken": [1, 2, 3].map((count) => {
    const problem = { file: "2026-11.jsonl", line: count - 1, what: "was put in" };
    const problems = Array.from({ length: count }, () => problem);
    return observe({ record: { ok: false, problems, checkedAt: NOW } });
  }),
  "config-refused": [
    observe({
      incidents: after(
        event("config.refused", {
          details: { service: "worker" },
          error: { code: "CONFIG_INVALID", message: "mail.port is 0." },
        }),
      ),
    }),
  ],
  "retention-held": [
    observe({
      incidents: after(
        event("retention.held", { database: "shop", tier: "cloud", details: { message: "Most of it would go." } }),
      ),
    }),
    observe({
      incidents: after(
        event("retention.held", { database: "shop", tier: "cloud", details: { message: "5 would go.", why: "rules" } }),
      ),
    }),
  ],
  "rule-failed": [
    Object.defineProperty(observe(), "heartbeats", {
      get: () => {
        throw new Error("A heartbeat is of another version.");
      },
    }),
    Object.defineProperty(observe(), "expiries", {
      get: () => {
        throw new Error("A date is none.");
      },
    }),
  ],
  "channel-failed": [
    observe({ failingChannels: [{ name: "ops", since: ago(60), reason: "Slack (ops) answered 404." }] }),
  ],
};
