import { auditFolder, openAuditLog, type Recorder } from "@trivault/audit";
import {
  type Adoptable,
  type AdoptionPlan,
  adoptFile,
  type BackupRef,
  type LeftAlone,
  planAdoption,
  requireSite,
} from "@trivault/backup";
import { openSite, type OpenSite } from "@trivault/cluster";
import { codeOf, findDatabase, formatBytes, type Logger, messageOf, TrivaultError } from "@trivault/core";
import { actor } from "../../actor.ts";
import { ask, isInteractive } from "../../ask.ts";
import { readEnvironment } from "../../environment.ts";
import { EXIT } from "../../exit-codes.ts";
import { formatTime, print, printJson, printText, say, sayText, table } from "../../output.ts";
import type { Running } from "../../perform.ts";
import { showProgress } from "../../progress.ts";

export interface EncryptAutoOptions {
  readonly database?: string;
  readonly keep?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

interface Result {
  readonly dump: Adoptable;
  /** `already`: it was a backup before; `planned`: a dry run. */
  readonly state: "planned" | "adopted" | "already" | "failed";
  readonly ref: BackupRef | null;
  readonly removed: boolean;
  readonly problem: string | null;
}

export async function encryptAuto(options: EncryptAutoOptions, running: Running): Promise<number> {
  const { config, log } = readEnvironment("backup");
  const deletes = !options.dryRun && !options.keep;
  if (deletes && !options.yes && !isInteractive()) {
    throw new TrivaultError(
      "INPUT_INVALID",
      "This deletes plaintext dumps once they are sealed and verified, and here is nobody to ask: say --yes, or --keep to leave them, or --dry-run to see what would be done.",
      { permanent: true },
    );
  }
  const site = await openSite(config);
  const audit = openAuditLog(auditFolder(config.backupDir), { now: site.now, log });
  try {
    if (!options.dryRun) await requireSite({ ...site, log, signal: running.signal });
    const plan = await look(site, options, running.signal);
    const dryRun = options.dryRun ?? false;
    showPlan(site, plan, running.json ? null : dryRun ? printText : sayText);
    const planned = plan.adoptable.map((dump): Result => ({ dump, state: "planned", ...NOTHING, ref: dump.adoptedAs }));
    if (!dryRun) await recordRefusals(plan.refused, audit.record);
    if (deletes && !options.yes && plan.adoptable.length > 0) await confirm(plan.adoptable, running.signal);
    const results = dryRun ? planned : await adoptAll(site, plan.adoptable, options, running, audit.record, log);
    report(results, plan, dryRun, running.json);
    const failed = results.some(({ state }) => state === "failed") || plan.refused.length > 0;
    return failed ? EXIT.failed : EXIT.ok;
  } finally {
    await audit.close();
    await site.close();
  }
}

const NOTHING = { ref: null, removed: false, problem: null } as const;

async function look(site: OpenSite, options: EncryptAutoOptions, signal: AbortSignal): Promise<AdoptionPlan> {
  const display = showProgress(process.stderr);
  try {
    return await planAdoption(site, {
      database: options.database,
      signal,
      progress: ({ bytes, totalBytes }) => display.update([{ name: "read", state: "active", bytes, totalBytes }]),
    });
  } finally {
    display.stop();
  }
}

async function confirm(dumps: readonly Adoptable[], signal: AbortSignal): Promise<void> {
  const bytes = dumps.reduce((sum, { size }) => sum + size, 0);
  const files = dumps.length === 1 ? "This file" : `Each of these ${dumps.length} files`;
  say(`${files} (${formatBytes(bytes)}) will be deleted after its backup was sealed and verified.`);
  if (/^y(es)?$/i.test(await ask("Go on? [y/N] ", signal))) return;
  throw new TrivaultError("CANCELLED", "Nothing was changed. --keep adopts them and leaves the plaintext.", {
    permanent: true,
  });
}

async function adoptAll(
  site: OpenSite,
  dumps: readonly Adoptable[],
  { keep = false }: EncryptAutoOptions,
  { signal }: Running,
  record: Recorder,
  log: Logger,
): Promise<Result[]> {
  const display = showProgress(process.stderr);
  const totalBytes = dumps.reduce((sum, { size }) => sum + size, 0);
  const results: Result[] = [];
  let done = 0;
  try {
    for (const dump of dumps) {
      const show = (bytes: number, state: "active" | "completed" = "active") =>
        display.update([{ name: "adopt", state, bytes: done + bytes, totalBytes }]);
      const context = {
        signal,
        log,
        note: (line: string) => log.debug(line),
        progress: ({ bytes }: { bytes: number }) => show(bytes),
      };
      const result = await adoptOne(site, dump, keep, context, record);
      if (result.problem !== null) display.say(`${dump.file}: ${result.problem}`);
      results.push(result);
      done += dump.size;
      show(0, done === totalBytes ? "completed" : "active");
    }
    return results;
  } finally {
    display.stop();
  }
}

/** One that fails is reported, and the others go on; only an interruption ends all. */
async function adoptOne(
  site: OpenSite,
  dump: Adoptable,
  keep: boolean,
  context: Parameters<typeof adoptFile>[3],
  record: Recorder,
): Promise<Result> {
  const begun = performance.now();
  const event = { action: "backup.adopted", actor: actor(), tier: site.tiers[0].name } as const;
  const details = { file: dump.file, format: formatOf(dump), kept: keep };
  const seconds = () => (performance.now() - begun) / 1000;
  try {
    const { database, backupId, made, removed, bytes } = await adoptFile(site, dump, { keep }, context);
    if (made || removed) {
      await record({ ...event, outcome: "ok", database, backupId, bytes, seconds: seconds(), details });
    }
    return { dump, state: made ? "adopted" : "already", ref: { database, backupId }, removed, problem: null };
  } catch (error) {
    const message = messageOf(error);
    const { database } = dump;
    const code = codeOf(error) ?? "UNEXPECTED";
    await record({ ...event, outcome: "failed", database, seconds: seconds(), error: { code, message }, details });
    context.signal.throwIfAborted();
    return { dump, state: "failed", ref: null, removed: false, problem: message };
  }
}

async function recordRefusals(refused: readonly LeftAlone[], record: Recorder): Promise<void> {
  for (const { file, reason } of refused) {
    const error = { code: "CORRUPT", message: reason };
    await record({ action: "backup.adopted", outcome: "refused", actor: actor(), error, details: { file } });
  }
}

function showPlan(site: OpenSite, plan: AdoptionPlan, show: ((text: string) => void) | null): void {
  if (show !== null && plan.adoptable.length > 0) show(planTable(site, plan.adoptable));
  for (const { file, reason } of plan.skipped) say(`Left alone: ${file} ${reason}.`);
  for (const { file, reason } of plan.refused) say(`REFUSED: ${file}: ${reason.replace(/\.$/, "")}.`);
}

function planTable(site: OpenSite, dumps: readonly Adoptable[]): string {
  return table(
    ["FILE", "FORMAT", "DATABASE", "NAMED BY", "TIME", ">SIZE"],
    dumps.map((dump) => [
      dump.file,
      formatOf(dump),
      dump.adoptedAs === null ? dump.database : dump.adoptedAs.database,
      dump.adoptedAs === null ? namedBy(site, dump) : `is backup ${dump.adoptedAs.backupId} already`,
      formatTime(dump.time),
      formatBytes(dump.size),
    ]),
  );
}

function namedBy(site: OpenSite, { database, databaseFrom }: Adoptable): string {
  const configured = findDatabase(site.config, database) !== null;
  return configured ? databaseFrom : `${databaseFrom}; not configured here`;
}

function formatOf({ format, compression }: Adoptable): string {
  return compression === null ? format : `${format}, ${compression}`;
}

function report(results: readonly Result[], plan: AdoptionPlan, dryRun: boolean, json: boolean): void {
  const { refused, skipped } = plan;
  if (json) printJson({ dryRun, dumps: results.map(resultJson), refused, skipped });
  else if (results.length === 0) print("No plaintext dumps were found that can be adopted.");
  else if (dryRun) print(`${results.length} would be adopted. Nothing was changed.`);
  else for (const result of results) print(resultLine(result));
  const failed = results.filter(({ state }) => state === "failed").length;
  if (failed + refused.length > 0)
    say(`${failed + refused.length} could not be adopted and lie there in plaintext; see above.`);
}

function resultLine({ dump, state, ref, removed, problem }: Result): string {
  if (ref === null) return `${dump.file} FAILED and was left alone: ${problem}`;
  const fate = removed ? "the plaintext is deleted" : "the plaintext is still there";
  const what = state === "adopted" ? "is now" : "was already";
  return `${dump.file} ${what} backup ${ref.backupId} of ${ref.database}; ${fate}.`;
}

function resultJson({ dump, state, ref, removed, problem }: Result): object {
  const { file, format, compression, size, databaseFrom, time, timeFrom } = dump;
  const database = ref?.database ?? dump.database;
  const backupId = ref?.backupId ?? null;
  return { file, format, compression, size, database, databaseFrom, time, timeFrom, state, backupId, removed, problem };
}
