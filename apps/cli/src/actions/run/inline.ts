import { auditFolder, openAuditLog } from "@trivault/audit";
import {
  type InlineResult,
  type Progress,
  requireSite,
  runInline,
  type RunManner,
  type StageName,
  stageName as nameOfStage,
} from "@trivault/backup";
import { openSite } from "@trivault/cluster";
import { type Config, findDatabase, type Logger, messageOf } from "@trivault/core";
import { catchUp, recordedStage } from "@trivault/maintenance";
import { actor } from "../../actor.ts";
import { say } from "../../output.ts";
import type { Running } from "../../perform.ts";
import { showProgress, type Task } from "../../progress.ts";
import { reportOutcome, stageName, type StageReport } from "./report.ts";

/** All stages in this process. */
export async function runHere(config: Config, log: Logger, database: string, running: Running): Promise<number> {
  const site = await openSite(config);
  const audit = openAuditLog(auditFolder(config.backupDir), { log });
  const stages = stagesOf(config, database);
  try {
    await requireSite({ ...site, log, signal: running.signal });
    const recording = { ...site, record: audit.record };
    const result = await watched(stages, (watch) =>
      runInline(site, database, {
        signal: running.signal,
        log,
        note: watch.note,
        progress: watch.progress,
        around: (stage, work) => watch.around(stage, () => recordedStage(recording, stage, { actor: actor() }, work)),
      }),
    );
    running.signal.throwIfAborted();
    const { signal } = running;
    await catchUp(recording, { signal, log, note: (line) => log.debug(line), progress: () => undefined }).catch(
      (error: unknown) => say(`Maintenance could not be done: ${messageOf(error)}`),
    );
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
    return reportOutcome({ ...report, ok, stages: reports }, { ...config.limits, json: running.json });
  } finally {
    await audit.close();
    await site.close();
  }
}

type Watch = Required<Pick<RunManner, "note" | "progress" | "around">>;

async function watched(stages: readonly Stage[], run: (watch: Watch) => Promise<InlineResult>): Promise<InlineResult> {
  const display = showProgress(process.stderr);
  const progress = new Map<StageName, Progress>();
  const ended = new Map<StageName, "completed" | "failed">();
  const show = () => display.update(tasksOf(stages, progress, ended));
  const timer = setInterval(show, 250);
  try {
    const result = await run({
      note: (stage, line) => display.say(`${nameOfStage(stage)}: ${line}`),
      progress: (stage, now) => progress.set(nameOfStage(stage), now),
      async around(stage, work) {
        try {
          const end = await work();
          ended.set(nameOfStage(stage), "completed");
          return end;
        } catch (error) {
          ended.set(nameOfStage(stage), "failed");
          throw error;
        }
      },
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

function reportOf({ key, stage, tier }: Stage, { ends }: InlineResult): StageReport {
  const end = ends.find((each) => nameOfStage(each.stage) === key);
  if (end === undefined) return { stage, tier, state: "waiting", bytes: 0, seconds: null, problem: null };
  if (!end.ok) return { stage, tier, state: "failed", bytes: 0, seconds: null, problem: messageOf(end.error) };
  const { bytes, seconds } = end.result;
  return { stage, tier, state: "completed", bytes, seconds, problem: null };
}
