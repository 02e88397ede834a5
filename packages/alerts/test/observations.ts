import type { RecordedEvent } from "@trivault/audit";
import { type Config, newBackupId, QUEUES, resolveConfig } from "@trivault/core";
import type { Heartbeat } from "@trivault/site";
import type { Overview } from "@trivault/monitor";
import type { Incidents } from "../src/incidents.ts";
import type { Observation } from "../src/types.ts";

export const NOW = new Date("2026-11-23T12:00:00Z");
export const ago = (seconds: number, now = NOW) => new Date(now.getTime() - seconds * 1000);

/** Two databases on one server, hourly; three tiers; one channel. */
export function testConfig(backupDir = "/nowhere", more: Partial<Config["monitoring"]["alerts"]> = {}): Config {
  const config = resolveConfig(
    { DATABASE_URL: "postgresql://u@db1:5432/shop", BACKUP_ENCRYPTION: "none", BACKUP_DIR: backupDir },
    "backup",
    { cwd: "/nowhere", home: "/", memoryDir: null },
  );
  const [shop] = config.databases;
  const [local] = config.tiers;
  if (!shop || !local) throw new Error("no database, or no tier");
  const tiers = ["remote", "cloud"].map((name) => ({ ...local, name, directory: `${backupDir}-${name}` }));
  return {
    ...config,
    tiers: [local, ...tiers],
    databases: ["shop", "billing"].map((name) => ({
      ...shop,
      name,
      url: `postgresql://u@db1:5432/${name}`,
      tiers: ["local", "remote", "cloud"],
    })),
    monitoring: {
      ...config.monitoring,
      alerts: {
        ...config.monitoring.alerts,
        channels: [{ name: "ops", from: "warning", kind: "slack", url: "http://127.0.0.1:1/x" }],
        ...more,
      },
    },
  };
}

export interface Site {
  /** Age in seconds of the newest copy, by `database/tier`; null: there is none. */
  readonly ages?: Readonly<Record<string, number | null>>;
  readonly lacking?: Readonly<Record<string, number>>;
  readonly unknown?: Readonly<Record<string, number>>;
  readonly down?: readonly string[];
  readonly orphans?: Overview["health"]["orphans"];
  readonly tier?: Readonly<Record<string, Partial<Overview["health"]["tiers"][number] & Overview["tiers"][number]>>>;
  /** Sizes of the last runs, by database. */
  readonly sizes?: Readonly<Record<string, readonly number[]>>;
  /** Their row counts. */
  readonly rows?: Readonly<Record<string, readonly (number | null)[]>>;
}

export function overviewOf(config: Config, site: Site = {}, now = NOW): Overview {
  const { ages = {}, lacking = {}, unknown = {}, down = [], tier: tierFacts = {}, sizes = {}, rows = {} } = site;
  const objectiveSeconds = 7200;
  const health = config.databases.map(({ name, tiers }) => {
    const ofTiers = tiers.map((tier) => {
      const age = ages[`${name}/${tier}`];
      const ageSeconds = age === undefined ? 600 : age;
      return {
        tier,
        ok: ageSeconds !== null && ageSeconds <= objectiveSeconds,
        newestBackupId: ageSeconds === null ? null : newBackupId(ago(ageSeconds, now)),
        ageSeconds,
        backups: ageSeconds === null ? 0 : 3,
        bytes: 1,
        unknown: unknown[`${name}/${tier}`] ?? 0,
        lacking: down.includes(tier) ? null : (lacking[`${name}/${tier}`] ?? 0),
      };
    });
    const ok = ofTiers.every((each) => each.ok);
    return { name, ok, objectiveSeconds, nextRun: null, lastRun: null, tiers: ofTiers, problem: null };
  });
  return {
    at: now.toISOString(),
    health: {
      localBackups: 1,
      remoteBackups: 1,
      cloudBackups: 0,
      lastSyncTime: null,
      syncStatus: "success",
      diskUsage: { local: "", remote: "", cloud: "" },
      ok: health.every(({ ok }) => ok),
      databases: health,
      tiers: config.tiers.map(({ name, kind }) => ({
        name,
        kind,
        reachable: !down.includes(name),
        unreachableSince: down.includes(name) ? ago(300, now).toISOString() : null,
        problem: down.includes(name) ? "connect ECONNREFUSED" : null,
        scannedAt: now.toISOString(),
        complete: 3,
        damaged: 0,
        untrusted: 0,
        unknown: 0,
        unknownReason: null,
        partial: 0,
        bytes: 1e9,
        free: 5e10,
        total: 1e11,
        overBudget: false,
        ...tierFacts[name],
      })),
      orphans: site.orphans ?? [],
    },
    databases: config.databases.map(({ name }) => ({
      name,
      runs: 0,
      runsOk: 0,
      strip: (sizes[name] ?? []).map((bytes, index, all) => {
        const startedAt = ago((all.length - index) * 3600, now);
        return {
          backupId: newBackupId(startedAt),
          startedAt: startedAt.toISOString(),
          state: "ok",
          seconds: 9,
          bytes,
          rows: rows[name]?.[index] ?? null,
        };
      }),
    })),
    tiers: config.tiers.map(({ name }) => ({
      name,
      bytesPerDay: null,
      fullAt: null,
      latencySeconds: 0.01,
      costPerMonth: null,
      ...tierFacts[name],
    })),
  };
}

export function beat(more: Partial<Heartbeat> = {}, now = NOW): Heartbeat {
  return {
    host: "w1",
    pid: 7,
    service: "worker",
    version: "0.1.0",
    startedAt: ago(3600, now),
    at: ago(5, now),
    seenAt: ago(5, now),
    queues: [...QUEUES],
    schedulesLookedAt: ago(6, now),
    redisDriftSeconds: 0,
    ...more,
  };
}

/** All well, but for what is said. */
export function observe(more: Partial<Observation> & { readonly site?: Site } = {}): Observation {
  const { site, ...rest } = more;
  const { now = NOW, config = testConfig() } = more;
  return {
    now,
    config,
    overview: overviewOf(config, site, now),
    heartbeats: [beat({}, now)],
    queues: QUEUES.map((queue) => ({ queue, waiting: 0, workers: 1 })),
    incidents: {},
    expiries: [],
    record: { ok: true, problems: [], checkedAt: now },
    failingChannels: [],
    ...rest,
  };
}

let seq = 0;
export function event(action: RecordedEvent["action"], more: Partial<RecordedEvent> = {}): RecordedEvent {
  seq += 1;
  return { seq, at: NOW, host: "w1", pid: 7, actor: "schedule", action, outcome: "failed", ...more };
}

export const NO_INCIDENTS: Incidents = {};
