import type { AuditEvent } from "@trivault/audit";
import { newBackupId } from "@trivault/core";
import type { DatabaseHealth, TierHealth } from "@trivault/maintenance";
import type { DatabaseRow, Overview, TierRow } from "@trivault/monitor";

export const NOW = new Date("2026-11-25T12:00:00Z");
export const TIERS = ["local", "remote", "cloud"] as const;
export const ago = (seconds: number) => new Date(NOW.getTime() - seconds * 1000);

export function databaseHealth(name: string, changes: Partial<DatabaseHealth> = {}): DatabaseHealth {
  return {
    name,
    ok: true,
    objectiveSeconds: 7200,
    nextRun: new Date(NOW.getTime() + 600_000).toISOString(),
    lastRun: { outcome: "ok", at: ago(3000).toISOString() },
    tiers: TIERS.map((tier) => ({
      tier,
      ok: true,
      newestBackupId: newBackupId(ago(3000)),
      ageSeconds: 3000,
      backups: 5,
      bytes: 5000,
      unknown: 0,
      lacking: 0,
    })),
    problem: null,
    ...changes,
  };
}

export function databaseRow(name: string): DatabaseRow {
  const strip = Array.from({ length: 30 }, (_, index) => ({
    backupId: newBackupId(ago(3000 + (29 - index) * 3600)),
    startedAt: ago(3000 + (29 - index) * 3600).toISOString(),
    state: "ok" as const,
    seconds: 42,
    bytes: 1000,
    rows: null,
  }));
  return { name, strip, runs: 720, runsOk: 719 };
}

export function tierHealth(name: string, changes: Partial<TierHealth> = {}): TierHealth {
  return {
    name,
    kind: name === "local" ? "local" : name === "cloud" ? "s3" : "sftp",
    reachable: true,
    unreachableSince: null,
    problem: null,
    scannedAt: ago(60).toISOString(),
    complete: 5,
    damaged: 0,
    untrusted: 0,
    unknown: 0,
    unknownReason: null,
    partial: 0,
    bytes: 5000,
    free: 95_000,
    total: 100_000,
    overBudget: false,
    ...changes,
  };
}

export function tierRow(name: string): TierRow {
  return { name, bytesPerDay: 86_400, fullAt: null, latencySeconds: 0.01, costPerMonth: null };
}

export function overview(names: readonly string[], changes: Partial<Overview["health"]> = {}): Overview {
  return {
    at: ago(5).toISOString(),
    databases: names.map(databaseRow),
    tiers: TIERS.map(tierRow),
    health: {
      localBackups: 5,
      remoteBackups: 5,
      cloudBackups: 5,
      lastSyncTime: null,
      syncStatus: "success",
      diskUsage: { local: "", remote: "", cloud: "" },
      ok: true,
      databases: names.map((name) => databaseHealth(name)),
      orphans: [],
      tiers: TIERS.map((name) => tierHealth(name)),
      ...changes,
    },
  };
}

/** One backup as it stands in the audit log when all goes well. */
export function eventsOf(database: string, backupId: string): AuditEvent[] {
  const event = { outcome: "ok", actor: "schedule", database, backupId, seconds: 10, bytes: 1000 } as const;
  return [
    { ...event, action: "backup.dump" },
    { ...event, action: "backup.encrypt", tier: "local" },
    { ...event, action: "backup.copy", tier: "remote" },
    { ...event, action: "backup.copy", tier: "cloud" },
  ];
}
