import type { DatabaseHealth } from "@trivault/maintenance";
import type { Overview } from "@trivault/monitor";

export const NOW = new Date("2026-11-24T07:00:00Z");
export const MIB = 2 ** 20;
export const TIERS = ["local", "remote", "cloud"] as const;

const NAMES = ["shop", "billing", "crm", "warehouse", "hr", "wiki", "metrics", "mail"];
export const nameOf = (index: number) =>
  index < NAMES.length ? (NAMES[index] ?? "") : `customer-${String(index).padStart(3, "0")}`;

/** What a look at the sample site at its last moment finds. */
export function overviewOf(
  count: number,
  days: number,
  lastOn: ReadonlyMap<string, string>,
  troubles: boolean,
): Overview {
  const databases = Array.from({ length: count }, (_, index): DatabaseHealth => {
    const name = nameOf(index);
    const tiers = TIERS.map((tier) => {
      const late = troubles && name === "billing" && tier === "cloud";
      const backups = tier === "local" ? 53 : tier === "remote" ? 97 : 120;
      return {
        tier,
        ok: !late,
        newestBackupId: lastOn.get(`${name} ${tier}`) ?? null,
        ageSeconds: late ? 6 * 3600 : 3600 - index,
        backups: Math.min(backups, days * 24),
        bytes: Math.min(backups, days * 24) * (40 + index * 17) * MIB,
        unknown: 0,
        lacking: late ? 5 : 0,
      };
    });
    const ok = tiers.every((tier) => tier.ok);
    return {
      name,
      ok,
      objectiveSeconds: 7200,
      nextRun: troubles && name === "mail" ? null : "2026-11-24T08:00:00.000Z",
      lastRun: { outcome: "ok", at: "2026-11-24T06:01:00.000Z" },
      tiers,
      problem: ok ? null : "no newer copy",
    };
  });
  const tiers = TIERS.map((name, index) => ({
    name,
    kind: (["local", "sftp", "s3"] as const)[index] ?? "local",
    reachable: true,
    unreachableSince: null,
    problem: null,
    scannedAt: NOW.toISOString(),
    complete: databases.reduce((sum, database) => sum + (database.tiers[index]?.backups ?? 0), 0),
    damaged: 0,
    unknown: troubles && name === "cloud" ? 2 : 0,
    unknownReason: troubles && name === "cloud" ? "access denied" : null,
    untrusted: troubles && name === "remote" ? 1 : 0,
    partial: 0,
    bytes: databases.reduce((sum, database) => sum + (database.tiers[index]?.bytes ?? 0), 0),
    free: name === "cloud" ? null : 180 * 1024 * MIB,
    total: name === "cloud" ? null : 500 * 1024 * MIB,
    overBudget: false,
  }));
  return {
    at: NOW.toISOString(),
    health: {
      localBackups: 0,
      remoteBackups: 0,
      cloudBackups: 0,
      lastSyncTime: null,
      syncStatus: "success",
      diskUsage: { local: "", remote: "", cloud: "" },
      ok: databases.every(({ ok }) => ok),
      databases,
      tiers,
      orphans: [],
    },
    databases: databases.map(({ name }) => ({ name, strip: [], runs: 0, runsOk: 0 })),
    tiers: tiers.map(({ name }) => ({
      name,
      bytesPerDay: 320 * MIB,
      fullAt: name === "local" ? (troubles ? "2026-11-29T10:00:00.000Z" : "2028-02-01T00:00:00.000Z") : null,
      latencySeconds: 0.02,
      costPerMonth: name === "cloud" ? 4.31 : null,
    })),
  };
}
