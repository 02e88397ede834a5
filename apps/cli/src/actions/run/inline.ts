import { auditFolder, openAuditLog, type Recorder } from "@trivault/audit";
import { type InlineResult, type Progress, requireSite, runInline, type StageName } from "@trivault/backup";
import { openSite } from "@trivault/cluster";
import { type Config, findDatabase, type Logger, messageOf } from "@trivault/core";
import { catchUp } from "@trivault/maintenance";
import { actor } from "../../actor.ts";
import { say } from "../../output.ts";
import type { Running } from "../../perform.ts";
import { showProgress, type Task } from "../../progress.ts";
import { recordedError } from "../../record.ts";
import { reportOutcome, stageName, type StageReport } from "./report.ts";

/** All stages in this process. */
export async function runHere(config: Config, log: Logger, database: string, running: Running): Promise<number> {
  const site = await openSite(config);
  const audit = openAuditLog(auditFolder(config.backupDir), { log });
  const stages = stagesOf(config, database);
  try {
    await requireSite({ ...site, log, signal: running.signal });
    const result = await watched(stages, (watch) => runInline(site, database, { ...watch, ...running, log }));
    await recordStages(audit.record, stages, database, result);
    running.signal.throwIfAborted();
    const { signal } = running;
    await catchUp(
      { ...site, record: audit.record },
      { signal, log, note: (line) => log.debug(line), progress: () => undefined },
    ).catch((error: unknown) => say(`Maintenance could not be done: ${messageOf(error)}`));
    const reports = stages.map((stage) => reportOf(stage, result));
    const ok = reports.every(({ state }) => state === "completed");
    const { backupId } = result;
    const report = {
      mode: "inline",
      database,
      runId: null,
      backupId,
      created: true,
      joined: false,
      queuesWithoutWorker: [],
    } as const;
    return reportOutcome({ ...report, ok, stages: reports }, running.json);
  } finally {
    await audit.close();
    await site.close();
  }
}

const ACTIONS = { dump: "backup.dump", encrypt: "backup.encrypt", copy: "backup.copy" } as const;

/** Each stage that was begun. */
async function recordStages(
  record: Recorder,
  stages: readonly Stage[],
  database: string,
  { backupId, stages: outcomes }: InlineResult,
): Promise<void> {
  const events = stages.map(async ({ key, stage, tier }) => {
    const outcome = outcomes[key];
    if (outcome === undefined) return;
    const event = { action: ACTIONS[stage], actor: actor(), database, backupId, tier: tier ?? undefined };
    if (outcome.ok) {
      const { bytes, seconds, rows = null } = outcome;
      await record({ ...event, outcome: "ok", bytes, seconds, ...(rows === null ? {} : { details: { rows } }) });
    } else await record({ ...event, outcome: "failed", error: recordedError(outcome.error) });
  });
  await Promise.all(events);
}

type Watch = Pick<Parameters<typeof runInline>[2], "note" | "progress" | "ended">;

async function watched(stages: readonly Stage[], run: (watch: Watch) => Promise<InlineResult>): Promise<InlineResult> {
  const display = showProgress(process.stderr);
  const progress = new Map<StageName, Progress>();
  const ended = new Map<StageName, "completed" | "failed">();
  const show = () => display.update(tasksOf(stages, progress, ended));
  const timer = setInterval(show, 250);
  try {
    const result = await run({
      note: (stage, line) => display.say(`${stage}: ${line}`),
      progress: (stage, now) => progress.set(stage, now),
      ended: (stage, ok) => ended.set(stage, ok ? "completed" : "failed"),
    });
    show();
    return result;
  } finally {
    clearInterval(timer);
    display.stop();
  }
}

interface Stage {
  readonly key: StageName;
  readonly stage: "dump" | "encrypt" | "copy";
  readonly tier: string | null;
}

function stagesOf(config: Config, database: string): Stage[] {
  const [, ...others] = findDatabase(config, database)?.tiers ?? [];
  const copies = others.map((name): Stage => ({ key: `copy:${name}`, stage: "copy", tier: name }));
  return [{ key: "dump", stage: "dump", tier: null }, { key: "encrypt", stage: "encrypt", tier: null }, ...copies];
}

function tasksOf(
  stages: readonly Stage[],
  progress: ReadonlyMap<StageName, Progress>,
  ended: ReadonlyMap<StageName, Task["state"]>,
): Task[] {
  const total = progress.get("encrypt")?.totalBytes ?? progress.get("dump")?.totalBytes ?? null;
  return stages.map((stage) => {
    const now = progress.get(stage.key);
    const state = ended.get(stage.key) ?? (now ? "active" : "waiting");
    return { name: stageName(stage), state, bytes: now?.bytes ?? 0, totalBytes: now?.totalBytes ?? total };
  });
}

function reportOf({ key, stage, tier }: Stage, { stages }: InlineResult): StageReport {
  const outcome = stages[key];
  if (outcome === undefined) return { stage, tier, state: "waiting", bytes: 0, seconds: null, problem: null };
  if (outcome.ok) {
    return { stage, tier, state: "completed", bytes: outcome.bytes, seconds: outcome.seconds, problem: null };
  }
  return { stage, tier, state: "failed", bytes: 0, seconds: null, problem: messageOf(outcome.error) };
}
