import type { AuditEvent, RecordedEvent } from "@trivault/audit";
import { type Config, DEFAULT_MONITORING, newBackupId, resolveConfig } from "@trivault/core";
import type { Run } from "@trivault/monitor";
import { foldCopies } from "../src/copy-history.ts";
import type { ReportInput } from "../src/input.ts";
import { EVENT_ACTIONS } from "../src/input.ts";
import { toReportRun } from "../src/report-runs.ts";
import { MIB, nameOf, NOW, overviewOf, TIERS } from "./sample-overview.ts";

/** A site of hourly backups in three tiers, and what its audit log says; some of it goes wrong, always in the same way. */

const HOUR = 3_600_000;

export interface SampleOptions {
  readonly databases?: number;
  readonly days?: number;
  /** Whether anything goes wrong. */
  readonly troubles?: boolean;
  readonly language?: "en" | "fr";
  readonly periodDays?: number;
}

export interface Sample {
  readonly input: ReportInput;
  readonly events: readonly RecordedEvent[];
  readonly runs: readonly Run[];
}

export function sampleConfig(change: Partial<Config["monitoring"]["reports"]> = {}): Config {
  const config = resolveConfig(
    {
      DATABASE_URL: "postgresql://nobody@localhost/shop",
      BACKUP_DIR: "/nowhere",
      BACKUP_ENCRYPTION: "none",
      BACKUP_REMOTE_SERVER: "127.0.0.1:1",
      BACKUP_REMOTE_DIR: "/srv/backups",
      BACKUP_SSH_USER: "nobody",
      BACKUP_SSH_KEY: "/nowhere/key",
      BACKUP_SSH_HOST_KEY: `SHA256:${"A".repeat(43)}`,
      BACKUP_S3_BUCKET: "bucket",
    },
    "backup",
  );
  const schedule = { cron: "0 7 * * *", timeZone: "Europe/Paris" };
  const reports = { ...DEFAULT_MONITORING.reports, schedule, to: ["ops@example.org"], ...change };
  const api = { ...config.api, publicUrl: "https://trivault.example.org" };
  return { ...config, api, monitoring: { ...DEFAULT_MONITORING, reports } };
}

const made = new Map<string, Pick<Sample, "events" | "runs"> & { readonly lastOn: ReadonlyMap<string, string> }>();

export function sample(options: SampleOptions = {}): Sample {
  const { databases = 8, days = 30, troubles = true, language = "en", periodDays = 1 } = options;
  const key = `${databases} ${days} ${troubles}`;
  const { events, runs, lastOn } = made.get(key) ?? runSite({ databases, days, troubles });
  made.set(key, { events, runs, lastOn });
  const fold = foldCopies("local");
  for (const event of events) fold.add(event);
  const wanted = new Set<string>(EVENT_ACTIONS);
  const input: ReportInput = {
    config: sampleConfig({ language }),
    period: { from: NOW.getTime() - periodDays * 24 * HOUR, to: NOW.getTime() },
    database: null,
    language,
    now: new Date(NOW.getTime() + 4000),
    recordHead: null,
    overview: overviewOf(databases, days, lastOn, troubles),
    runsOf: (database) => runs.filter((each) => each.database === database).map(toReportRun),
    copies: fold.history(),
    events: events.filter(({ action }) => wanted.has(action)),
    marks: {
      keep: troubles
        ? new Map([
            [
              "20260110t020000z-7f3k9xq2",
              { database: "crm", reason: "lawsuit 4711", actor: "user:anna@db1", at: new Date("2026-01-12T09:00:00Z") },
            ],
          ])
        : new Map(),
      acceptedFrom: new Map(),
      rules: new Map(),
      gone: new Set(),
      problems: [],
    },
    costs: new Map(Array.from({ length: databases }, (_, index) => [nameOf(index), 0.4 + index * 0.13])),
    alerts: [],
  };
  return { input, events, runs };
}

/** Every database at each hour; numbers come from a small generator, so that they are the same each time. */
function runSite({ databases, days, troubles }: Required<Pick<SampleOptions, "databases" | "days" | "troubles">>) {
  const random = generator(7);
  const events: RecordedEvent[] = [];
  const runs: Run[] = [];
  let seq = 0;
  const record = (at: Date, event: AuditEvent) => events.push({ seq: ++seq, at, host: "db1", pid: 1, ...event });
  const lastOn = new Map<string, string>();
  for (let hour = days * 24; hour > 0; hour--) {
    for (let index = 0; index < databases; index++) {
      const name = nameOf(index);
      const start = new Date(NOW.getTime() - hour * HOUR + (index % 60) * 1000);
      const backupId = newBackupId(start);
      const size = Math.round((40 + index * 17) * MIB * (1 + (days * 24 - hour) / 4000) * (0.99 + random() * 0.02));
      const trouble = troubles ? troubleOf(name, hour) : null;
      const dumpSeconds = (30 + index * 9) * (0.8 + random() * 0.5) * (name === "warehouse" ? 3.2 : 1);
      const base = { actor: "schedule", database: name, backupId } as const;
      const after = (seconds: number) => new Date(start.getTime() + seconds * 1000);
      if (trouble === "missed") continue;
      if (trouble === "dump") {
        const error = {
          code: "DATABASE_UNREACHABLE",
          message: `The server db2.example.org:5432 does not answer (connection refused). See that PostgreSQL runs there and listens on that address.`,
        };
        record(after(3), { ...base, action: "backup.dump", outcome: "failed", seconds: 3, error });
        runs.push(run(base, start, "failed", 3, null, [stage("dump", null, after(3), 3, 0, "failed")], error));
        continue;
      }
      const sealed = dumpSeconds + 4;
      record(after(dumpSeconds), { ...base, action: "backup.dump", outcome: "ok", seconds: dumpSeconds, bytes: size });
      record(after(sealed), {
        ...base,
        action: "backup.encrypt",
        outcome: "ok",
        tier: "local",
        seconds: sealed - 1,
        bytes: size,
      });
      const stages = [
        stage("dump", null, after(dumpSeconds), dumpSeconds, size),
        stage("encrypt", null, after(sealed), sealed - 1, size),
      ];
      lastOn.set(`${name} local`, backupId);
      let problem: Run["problem"] = null;
      let seconds = sealed;
      for (const tier of ["remote", "cloud"] as const) {
        const took = sealed + (tier === "remote" ? 6 : 14) * (1 + random());
        if (tier === "cloud" && trouble === "cloud") {
          problem = {
            code: "STORE_REFUSED",
            message: `The bucket "bucket" refused the upload (403 AccessDenied). See to the rights of the access key: it needs PutObject.`,
          };
          record(after(took), {
            ...base,
            action: "backup.copy",
            tier,
            outcome: "failed",
            seconds: took,
            error: problem,
          });
          stages.push(stage("copy", tier, after(took), took, 0, "failed"));
        } else {
          record(after(took), { ...base, action: "backup.copy", tier, outcome: "ok", seconds: took, bytes: size });
          stages.push(stage("copy", tier, after(took), took, size));
          lastOn.set(`${name} ${tier}`, backupId);
        }
        seconds = Math.max(seconds, took);
      }
      runs.push(run(base, start, problem ? "incomplete" : "ok", seconds, size, stages, problem));
    }
    if (troubles && hour === 20) {
      record(new Date(NOW.getTime() - 19.6 * HOUR), missedEvent("hr", 2));
    }
    if (troubles && hour === 200) {
      const at = new Date(NOW.getTime() - 200 * HOUR);
      record(at, { action: "tier.unreachable", outcome: "failed", actor: "maintenance", tier: "remote" });
      record(new Date(at.getTime() + 1_800_000), {
        action: "tier.reachable",
        outcome: "ok",
        actor: "maintenance",
        tier: "remote",
        seconds: 1800,
      });
    }
    if (hour === 5 && databases > 0) {
      const shared = { actor: "user:anna@db1", database: "shop", backupId: lastOn.get("shop local") ?? "" } as const;
      record(new Date(NOW.getTime() - 4.5 * HOUR), {
        ...shared,
        action: "backup.restored",
        outcome: "ok",
        seconds: 341,
        bytes: 44 * MIB,
      });
      for (const tier of TIERS) {
        record(new Date(NOW.getTime() - 4.4 * HOUR), {
          ...shared,
          tier,
          action: "backup.verified",
          outcome: "ok",
          seconds: 12,
          bytes: 44 * MIB,
          details: { state: "good", problems: 0 },
        });
      }
      if (troubles) {
        record(new Date(NOW.getTime() - 4.3 * HOUR), {
          action: "retention.held",
          outcome: "refused",
          actor: "maintenance",
          database: "wiki",
          tier: "cloud",
          details: {
            message:
              "wiki on cloud: 41 of 52 backups would go at once, far more than newer ones came. Nothing is deleted there until you say so.",
          },
        });
      }
    }
  }
  events.sort((a, b) => a.at.getTime() - b.at.getTime());
  return { events, runs, lastOn };
}

function troubleOf(name: string, hour: number): "dump" | "cloud" | "missed" | null {
  if (name === "billing" && hour <= 5) return "cloud";
  if (name === "crm" && (hour === 9 || hour === 310 || hour === 311)) return "dump";
  if (name === "hr" && (hour === 21 || hour === 22)) return "missed";
  return null;
}

function missedEvent(database: string, slots: number): AuditEvent {
  const details = { slot: "2026-11-23T11:00:00.000Z", missed: slots, lateSeconds: 5 };
  return { action: "schedule.missed", outcome: "failed", actor: "schedule", database, details };
}

function run(
  { database, backupId, actor }: { database: string; backupId: string; actor: string },
  start: Date,
  state: Run["state"],
  seconds: number,
  bytes: number | null,
  stages: Run["stages"],
  problem: Run["problem"],
): Run {
  return {
    backupId,
    database,
    startedAt: start.toISOString(),
    state,
    actor,
    slot: null,
    seconds,
    bytes,
    rows: null,
    stages,
    problem,
  };
}

function stage(
  name: "dump" | "encrypt" | "copy",
  tier: string | null,
  endedAt: Date,
  seconds: number,
  bytes: number,
  outcome: "ok" | "failed" = "ok",
): Run["stages"][number] {
  return { stage: name, tier, outcome, endedAt: endedAt.toISOString(), seconds, bytes, attempts: 1 };
}

/** mulberry32 */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
