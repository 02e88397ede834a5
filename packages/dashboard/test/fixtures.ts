import type { DatabasePage, DatabaseRow, Overview, RetentionRow, Run, TierPage, TierSample } from "@trivault/monitor";
import type { AlertView } from "../src/parts/alerts.ts";
import type { LogLine } from "../src/parts/log-table.ts";
import type { BackupView } from "../src/pages/backup.ts";

/** Sites as an observer tells them, by hand: empty, healthy, failing, and one of 300 databases. */

type Health = Overview["health"];
type DatabaseHealth = Health["databases"][number];
type TierHealth = Health["tiers"][number];

export const NOW = new Date("2026-11-23T09:14:30.000Z");
const HOUR = 3600;
const DAY = 86_400;
const GiB = 1024 ** 3;
const TIERS = ["local", "remote", "cloud"] as const;

export const before = (seconds: number) => new Date(NOW.getTime() - seconds * 1000).toISOString();
const idAt = (seconds: number, tail = "7f3k9xq2") =>
  `${before(seconds).slice(0, 19).replaceAll(/[-:]/g, "").toLowerCase()}z-${tail}`;

/** The same numbers every time. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}

export interface Site {
  readonly overview: Overview;
  /** Of a large site those of a few. */
  readonly databases: readonly DatabasePage[];
  readonly tiers: readonly TierPage[];
  readonly alerts: readonly AlertView[];
}

interface Plan {
  readonly name: string;
  readonly trouble?: "late-cloud" | "no-backup" | "failed" | "lacking";
}

function tierHealth(name: string, changes: Partial<TierHealth> = {}): TierHealth {
  const kind = name === "local" ? "local" : name === "remote" ? "sftp" : "s3";
  return {
    name,
    kind,
    reachable: true,
    unreachableSince: null,
    problem: null,
    scannedAt: before(240),
    complete: 1284,
    damaged: 0,
    untrusted: 0,
    partial: 0,
    bytes: 412 * GiB,
    free: kind === "s3" ? null : 3.1 * 1024 * GiB,
    total: kind === "s3" ? null : 8 * 1024 * GiB,
    overBudget: false,
    ...changes,
  };
}

function databaseHealth({ name, trouble }: Plan, index: number): DatabaseHealth {
  const age = 1200 + (index % 7) * 300;
  const tiers = TIERS.map((tier) => {
    const late = trouble === "failed" || (trouble === "late-cloud" && tier === "cloud");
    const none = trouble === "no-backup";
    const seconds = none ? null : late ? 7 * HOUR + 30 : age;
    return {
      tier,
      ok: !late && !none,
      newestBackupId: seconds === null ? null : idAt(seconds),
      ageSeconds: seconds,
      backups: none ? 0 : tier === "local" ? 48 : 92,
      bytes: none ? 0 : (3 + index) * 11 * GiB,
      lacking: trouble === "lacking" && tier === "remote" ? 2 : 0,
    };
  });
  const ok = tiers.every((tier) => tier.ok);
  return {
    name,
    ok,
    objectiveSeconds: 2 * HOUR,
    nextRun: before(-1800 - index * 7),
    lastRun: trouble === "no-backup" ? null : { outcome: trouble === "failed" ? "failed" : "ok", at: before(age) },
    tiers,
    problem: ok ? null : `${name} is not well`,
  };
}

export function runsOf({ name, trouble }: Plan, index: number, count = 60): Run[] {
  const random = randomFrom(index + 1);
  const size = (1 + random() * 40) * GiB * 0.2;
  if (trouble === "no-backup") return [];
  return Array.from({ length: count }, (_, i): Run => {
    const left = count - 1 - i;
    const failed = (trouble === "failed" && left < 7) || random() < 0.01;
    const incomplete = !failed && trouble === "late-cloud" && left < 7;
    const seconds = 90 + random() * 60;
    const bytes = failed ? null : Math.round(size * (1 + i / count / 5 + random() * 0.04));
    const startedAt = before(left * HOUR + 1200);
    const backupId = idAt(left * HOUR + 1200);
    const stage = (what: "dump" | "encrypt" | "copy", tier: string | null, outcome: "ok" | "failed" = "ok") => {
      return {
        stage: what,
        tier,
        outcome,
        endedAt: startedAt,
        seconds,
        bytes: bytes ?? 0,
        attempts: outcome === "ok" ? 1 : 12,
      };
    };
    return {
      backupId,
      database: name,
      startedAt,
      state: failed ? "failed" : incomplete ? "incomplete" : "ok",
      rows: failed ? null : 1_000_000,
      actor: i % 20 === 3 ? "user:ada" : "schedule",
      slot: startedAt,
      seconds,
      bytes,
      stages: failed
        ? [stage("dump", null, "failed")]
        : [
            stage("dump", null),
            stage("encrypt", null),
            stage("copy", "remote"),
            stage("copy", "cloud", incomplete ? "failed" : "ok"),
          ],
      problem: failed
        ? {
            code: "DUMP_FAILED",
            message:
              'pg_dump ended with 1: connection to server at "db-7.internal.example.org" (10.4.18.22), port 5432 failed: FATAL: password authentication failed for user "backup". Correct the password in DATABASE_URL.',
          }
        : incomplete
          ? {
              code: "STORE_REFUSED",
              message:
                "The bucket acme-backups refused the copy: AccessDenied. Its policy must let this user put objects.",
            }
          : null,
    };
  });
}

function retentionOf(plan: Plan, index: number): RetentionRow[] {
  if (plan.trouble === "no-backup") return [];
  const hours = Array.from({ length: 40 }, (_, i) => i * HOUR + 1200);
  const days = Array.from({ length: 60 }, (_, i) => (i + 2) * DAY + 7 * HOUR);
  const months = Array.from({ length: 6 }, (_, i) => (i + 3) * 30 * DAY);
  return [...hours, ...days, ...months].map((seconds, i): RetentionRow => {
    const hourly = i < 40;
    const monthly = i >= 100;
    return {
      backupId: idAt(seconds),
      startedAt: before(seconds),
      bytes: Math.round((3 + index - i * 0.01) * GiB),
      keep: i === 45 ? "before the move to PostgreSQL 18" : null,
      tiers: TIERS.map((tier) => ({
        tier,
        state: monthly && tier === "local" ? ("absent" as const) : ("complete" as const),
        action:
          i === 39 && tier === "local"
            ? ("delete" as const)
            : monthly && tier === "local"
              ? ("none" as const)
              : ("keep" as const),
        reasons: monthly
          ? [`monthly ${before(seconds).slice(0, 7)}`]
          : hourly
            ? [`hourly ${before(seconds).slice(0, 13)}`]
            : [`daily ${before(seconds).slice(0, 10)}`],
      })),
    };
  });
}

function siteOf(plans: readonly Plan[], tiers: readonly TierHealth[], alerts: readonly AlertView[] = []): Site {
  const databases = plans.map((plan, i) => databaseHealth(plan, i));
  const runs = plans.map((plan, i) => runsOf(plan, i, i < 10 ? 60 : 30));
  const rows = plans.map(({ name }, i): DatabaseRow => {
    const own = runs[i] ?? [];
    const strip = own.slice(-30).map(({ backupId, startedAt, state, seconds, bytes, rows: counted }) => {
      return { backupId, startedAt, state, seconds, bytes, rows: counted };
    });
    return { name, strip, runs: own.length, runsOk: own.filter(({ state }) => state === "ok").length };
  });
  const tierRows = tiers.map(({ name }, i) => ({
    name,
    bytesPerDay: 2.4 * GiB * (i + 1),
    fullAt: name === "cloud" ? null : before(-DAY * (120 + i * 300)),
    latencySeconds: [0.0006, 0.012, 0.084][i] ?? null,
    costPerMonth: name === "cloud" ? 9.47 : null,
  }));
  const overview: Overview = {
    at: before(4),
    health: {
      localBackups: 1284,
      remoteBackups: 1284,
      cloudBackups: 1284,
      lastSyncTime: before(600),
      syncStatus: "success",
      diskUsage: { local: "412 GiB", remote: "412 GiB", cloud: "412 GiB" },
      ok: databases.length > 0 && databases.every(({ ok }) => ok),
      databases,
      tiers,
    },
    databases: rows,
    tiers: tierRows,
  };
  return {
    overview,
    alerts,
    databases: plans.slice(0, 10).map((plan, i) => databasePage(plan, i, databases[i], runs[i] ?? [])),
    tiers: tiers.map((tier, i) => tierPageOf(tier, tierRows[i], databases)),
  };
}

function databasePage(
  plan: Plan,
  index: number,
  health: DatabaseHealth | undefined,
  runs: readonly Run[],
): DatabasePage {
  if (health === undefined) throw new Error("no such database");
  const well = plan.trouble === undefined;
  return {
    at: before(4),
    health,
    runs,
    missed: well ? [] : [{ database: plan.name, at: before(5 * HOUR), slots: 2 }],
    successRate: runs.length === 0 ? null : runs.filter(({ state }) => state === "ok").length / runs.length,
    recoveryPointSeconds: runs.length === 0 ? null : well ? 3720 : 7 * HOUR,
    recoveryTimeSeconds: well ? 431 : null,
    restores: well
      ? [
          {
            at: before(3 * DAY),
            backupId: idAt(3 * DAY),
            outcome: "ok",
            actor: "user:ada",
            seconds: 431,
            bytes: 3 * GiB,
            target: "db-2.example.org/shop_drill",
            problem: null,
          },
          {
            at: before(9 * DAY),
            backupId: idAt(9 * DAY),
            outcome: "failed",
            actor: "user:grace",
            seconds: 12,
            bytes: null,
            target: "db-2.example.org/shop",
            problem: "The database shop is not empty. Give the name of one that does not exist yet.",
          },
        ]
      : [],
    retention: retentionOf(plan, index),
  };
}

function tierPageOf(
  health: TierHealth,
  row: TierPage["row"] | undefined,
  databases: readonly DatabaseHealth[],
): TierPage {
  if (row === undefined) throw new Error("no such tier");
  const random = randomFrom(health.name.length);
  const samples = Array.from({ length: databases.length === 0 ? 0 : 90 }, (_, i): TierSample => ({
    at: before((90 - i) * 8 * HOUR),
    bytes: Math.round((300 + i * 1.2 + random() * 3) * GiB),
    copies: 1000 + i * 3,
    free: health.free,
    total: health.total,
    latencySeconds: (row.latencySeconds ?? 0.01) * (0.8 + random() * 0.6),
  }));
  return {
    at: before(4),
    health,
    row,
    samples,
    costs:
      health.kind === "s3"
        ? [
            { storageClass: "STANDARD", bytes: 112 * GiB, perMonth: 2.77 },
            { storageClass: "STANDARD_IA", bytes: 300 * GiB, perMonth: 4.03 },
          ]
        : [],
    databases: databases.map(({ name, tiers }) => ({
      database: name,
      backups: tiers[0]?.backups ?? 0,
      bytes: tiers[0]?.bytes ?? 0,
    })),
    verifications: databases.slice(0, 3).map(({ name }, i) => ({
      at: before((i + 1) * DAY),
      database: name,
      backupId: idAt((i + 1) * DAY),
      tier: health.name,
      good: !(health.damaged > 0 && i === 0),
      problem: health.damaged > 0 && i === 0 ? "data-000014.zst.age: its SHA-256 is not the one of the manifest" : null,
    })),
  };
}

const NAMES = [
  "shop",
  "accounts",
  "billing",
  "crm",
  "warehouse.orders",
  "warehouse.stock",
  "analytics",
  "identity",
  "mail",
  "search",
];

export const empty = (): Site =>
  siteOf(
    [],
    TIERS.map((name) => tierHealth(name, { complete: 0, bytes: 0, scannedAt: null })),
  );

export const healthy = (): Site =>
  siteOf(
    NAMES.map((name) => ({ name })),
    TIERS.map((name) => tierHealth(name)),
  );

export const failing = (): Site =>
  siteOf(
    NAMES.map((name): Plan => {
      if (name === "billing") return { name, trouble: "late-cloud" };
      if (name === "crm") return { name, trouble: "failed" };
      if (name === "identity") return { name, trouble: "lacking" };
      if (name === "search")
        return {
          name: "a-database-with-a-name-that-nobody-would-ever-choose-but-somebody-did.search_index_production_2026",
          trouble: "no-backup",
        };
      return { name };
    }),
    [
      tierHealth("local", { free: 0.21 * 1024 * GiB }),
      tierHealth("remote", { damaged: 1 }),
      tierHealth("cloud", {
        reachable: false,
        unreachableSince: before(7 * HOUR),
        problem:
          "The bucket acme-backups at https://s3.eu-west-3.amazonaws.com does not answer: ECONNREFUSED. Check the network, and that the endpoint is right.",
      }),
    ],
    [
      {
        id: "tier-unreachable:cloud",
        severity: "critical",
        title: "cloud cannot be reached",
        since: before(7 * HOUR),
        endedAt: null,
        text: [
          "7 of 10 databases have a copy within their objective on local and remote.",
          "Check the network and the bucket's credentials; copies that are missing are made by themselves once it answers.",
        ],
        href: "/tiers/cloud",
        silenced: null,
      },
      {
        id: "run-failed:crm",
        severity: "warning",
        title: "The last 7 runs of crm failed",
        since: before(6 * HOUR),
        endedAt: null,
        text: [
          "Its newest good backup is of 02:14 UTC, on local and remote.",
          "pg_dump may not log in: correct the password in DATABASE_URL.",
        ],
        href: "/databases/crm",
        silenced: { until: before(-4 * HOUR), reason: "Ada is at it", by: "ada" },
      },
    ],
  );

export const many = (): Site =>
  siteOf(
    Array.from({ length: 300 }, (_, i): Plan => {
      const name = `tenant-${String(i + 1).padStart(3, "0")}.${NAMES[i % NAMES.length]}`;
      if (i === 41) return { name, trouble: "late-cloud" };
      return i === 202 ? { name, trouble: "lacking" } : { name };
    }),
    TIERS.map((name) => tierHealth(name)),
  );

/** The same as if it were seen at `now`. */
export function asOf<T>(value: T, now: Date): T {
  const late = now.getTime() - NOW.getTime();
  const later = (iso: string) => new Date(Date.parse(iso) + late).toISOString();
  const text = JSON.stringify(value)
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, later)
    .replaceAll(/(\d{4})(\d\d)(\d\d)t(\d\d)(\d\d)(\d\d)z/g, (_, year, month, day, hour, minute, second) =>
      later(`${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`)
        .slice(0, 19)
        .replaceAll(/[-:]/g, "")
        .toLowerCase()
        .concat("z"),
    );
  return JSON.parse(text) as T;
}

export const SITES = { empty, healthy, failing, many };

export function backupOf(site: Site, state: "ok" | "incomplete" | "failed" | "running"): BackupView {
  const database = site.overview.databases[0]?.name ?? "shop";
  const done = state !== "running" && state !== "failed";
  const stage = (
    what: "dump" | "encrypt" | "copy",
    tier: string | null,
    share: number,
    failed = false,
  ): BackupView["stages"][number] => ({
    stage: what,
    tier,
    state: failed ? "failed" : share === 1 ? "completed" : share === 0 ? "waiting" : "active",
    bytes: share === 0 ? null : Math.round(3.4 * GiB * share),
    total: share === 0 || share === 1 ? null : { bytes: Math.round(3.4 * GiB), guessed: what !== "copy" },
    segments: share === 0 ? null : Math.round(218 * share),
    seconds: share === 0 ? null : 95 * share,
    attempts: failed ? 12 : 1,
    problem: failed
      ? "The bucket acme-backups refused the copy: AccessDenied. Its policy must let this user put objects."
      : null,
    job: "/queues/queue/dump/20261123t085430z-7f3k9xq2",
  });
  const id = idAt(1200);
  return {
    id,
    database,
    startedAt: before(1200),
    state,
    actor: "schedule",
    seconds: 128,
    stages: [
      stage("dump", null, state === "failed" ? 0 : state === "running" ? 0.7 : 1, state === "failed"),
      stage("encrypt", null, state === "failed" ? 0 : state === "running" ? 0.62 : 1),
      stage("copy", "remote", state === "failed" ? 0 : state === "running" ? 0.4 : 1),
      stage("copy", "cloud", state === "ok" ? 1 : state === "running" ? 0.2 : 0, state === "incomplete"),
    ],
    copies: (state === "running" ? [] : TIERS).map((tier) => {
      const there = done && !(state === "incomplete" && tier === "cloud");
      return {
        tier,
        state: there ? "complete" : "absent",
        bytes: there ? Math.round(3.4 * GiB) : null,
        segments: there ? 220 : null,
        reasons: there ? ["hourly 2026-11-23 08", "last 5"] : [],
      };
    }),
    manifest: done
      ? {
          completedAt: before(1072),
          server: "17.2",
          tools: { trivault: "0.1.0", pg_dump: "17.2", zstd: "1.5.6" },
          encryption: "age",
          recipients: 2,
          segments: 220,
          bytes: Math.round(3.4 * GiB),
          plainBytes: Math.round(3.39 * GiB),
          signedBy: "tvsign1qyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqs3t4w2k",
        }
      : null,
    log: LOG.filter(({ backupId }) => backupId === id).slice(0, state === "running" ? 1 : 5),
    keep: null,
    restoreCommand: `npm run backup:restore -- --database ${database} --backup ${id} --target postgresql://postgres@new-host/${database}`,
    problem:
      state === "failed"
        ? 'pg_dump ended with 1: FATAL: password authentication failed for user "backup". Correct the password in DATABASE_URL.'
        : null,
    note: null,
  };
}

const line = (seq: number, action: string, changes: Partial<LogLine> = {}): LogLine => ({
  seq,
  at: before(1200 - seq * 20),
  action,
  outcome: "ok",
  actor: "schedule",
  host: "backup-1",
  database: "shop",
  backupId: idAt(1200),
  tier: null,
  seconds: 92.4,
  bytes: 3.4 * GiB,
  problem: null,
  details: {},
  ...changes,
});

export const LOG: readonly LogLine[] = [
  line(1, "backup.requested", { seconds: null, bytes: null, actor: "user:ada", details: { ip: "10.0.0.7" } }),
  line(2, "backup.dump"),
  line(3, "backup.encrypt"),
  line(4, "backup.copy", { tier: "remote" }),
  line(5, "backup.copy", {
    tier: "cloud",
    outcome: "failed",
    problem: "The bucket acme-backups refused the copy: AccessDenied.",
    details: { attempts: 12 },
  }),
  line(6, "backup.deleted", {
    tier: "local",
    backupId: idAt(3 * DAY),
    seconds: null,
    details: { rule: "beyond hourly=48" },
  }),
  line(7, "access.refused", {
    outcome: "refused",
    actor: "token:none",
    database: null,
    backupId: null,
    seconds: null,
    bytes: null,
    problem: "Send the header Authorization.",
    details: { ip: "203.0.113.9", count: 14 },
  }),
];
