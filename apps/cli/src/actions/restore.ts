import type { Recorder } from "@trivault/audit";
import { type RestoreRequest, type RestoreResult, restoreBackup } from "@trivault/backup";
import { type ErrorCode, formatBytes, TrivaultError } from "@trivault/core";
import { describeConnection, parseDatabaseUrl } from "@trivault/postgres";
import { actor } from "../actor.ts";
import { ask, isInteractive } from "../ask.ts";
import type { Environment } from "../environment.ts";
import { EXIT } from "../exit-codes.ts";
import { formatSeconds, print, printJson, say } from "../output.ts";
import type { Running } from "../perform.ts";
import { showProgress, type Task } from "../progress.ts";
import { recordedError, withRecord } from "../record.ts";
import { withTiers } from "./tiers.ts";

export interface RestoreOptions {
  readonly database: string;
  readonly backup: string;
  readonly from: string;
  readonly target?: string;
  readonly force?: boolean;
  readonly yes?: boolean;
  /** `--no-owner` makes it false. */
  readonly owner: boolean;
  readonly globals?: boolean;
  readonly jobs: number;
  readonly allowUnsigned?: boolean;
  readonly json?: boolean;
}

export async function restore(
  environment: Environment,
  targetUrl: string,
  options: RestoreOptions,
  running: Running,
): Promise<number> {
  if (options.force && !options.yes && isInteractive()) await confirm(targetUrl, running.signal);
  const request: RestoreRequest = {
    database: options.database,
    backup: options.backup,
    from: options.from,
    targetUrl,
    force: options.force ?? false,
    noOwner: !options.owner,
    globals: options.globals ?? false,
    jobs: options.jobs,
    allowUnsigned: options.allowUnsigned ?? false,
  };
  const result = await withRecord(environment.config, (record) =>
    recorded(record, request, () => carryOut(environment, request, running)),
  );
  if (running.json) printJson(result);
  else print(summary(result));
  return EXIT.ok;
}

/** How a restore ended, and where it went to (server and database, never the URL). */
async function recorded(
  record: Recorder,
  request: RestoreRequest,
  restored: () => Promise<RestoreResult>,
): Promise<RestoreResult> {
  const begun = performance.now();
  const { database, from, force } = request;
  const event = { action: "backup.restored", actor: actor(), database } as const;
  const details = { target: describeTarget(request.targetUrl), from, force };
  try {
    const result = await restored();
    const { backupId, seconds, bytes, damage } = result;
    const segments = Object.entries(result.segmentsFrom).map(([tier, count]) => `${tier}:${count}`);
    const more = { ...details, segments: segments.join(" "), damaged: damage.length };
    await record({ ...event, outcome: "ok", backupId, seconds, bytes, details: more });
    return result;
  } catch (error) {
    const refused = error instanceof TrivaultError && REFUSALS.has(error.code);
    await record({
      ...event,
      outcome: refused ? "refused" : "failed",
      ...(request.backup === "latest" ? {} : { backupId: request.backup }),
      seconds: (performance.now() - begun) / 1000,
      error: recordedError(error),
      details,
    });
    throw error;
  }
}

/** Nothing was touched: the restore was not let go on. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set(["TARGET_NOT_EMPTY", "UNTRUSTED", "INPUT_INVALID"]);

function describeTarget(url: string): string {
  try {
    return describeConnection(parseDatabaseUrl(url));
  } catch {
    return "not a URL";
  }
}

async function confirm(targetUrl: string, signal: AbortSignal): Promise<void> {
  const connection = parseDatabaseUrl(targetUrl);
  say(`--force replaces what ${describeConnection(connection)} holds.`);
  const answer = await ask(`Type the name of that database to go on: `, signal);
  if (answer === connection.database) return;
  throw new TrivaultError("CANCELLED", "That is not its name; nothing was changed.", { permanent: true });
}

async function carryOut(
  { config, log }: Environment,
  request: RestoreRequest,
  { signal }: Running,
): Promise<RestoreResult> {
  const display = showProgress(process.stderr);
  const show = (state: Task["state"], bytes: number, totalBytes: number | null) =>
    display.update([{ name: "restore", state, bytes, totalBytes }]);
  try {
    const result = await withTiers(config, (tiers) =>
      restoreBackup(config, tiers, request, {
        signal,
        log,
        note: (line) => display.say(line),
        progress: ({ bytes, totalBytes }) => show("active", bytes, totalBytes ?? null),
      }),
    );
    show("completed", result.bytes, result.bytes);
    return result;
  } finally {
    display.stop();
  }
}

function summary(result: RestoreResult): string {
  const { backupId, database, target, created, bytes, seconds, segmentsFrom, damage, tablesCompared } = result;
  const tiers = Object.entries(segmentsFrom).map(([tier, segments]) => `${segments} from ${tier}`);
  const rows =
    tablesCompared === null
      ? "The backup holds no row counts to compare with."
      : `The row counts of all ${tablesCompared} tables equal those of the backup.`;
  return [
    `Backup ${backupId} of ${database} is restored into ${created ? "the new database " : ""}${target}.`,
    `${formatBytes(bytes)} in ${formatSeconds(seconds)}; segments: ${tiers.join(", ")}.`,
    rows,
    ...damage.map(({ tier, problem }) => `Damage on ${tier}, passed over: ${problem}`),
  ].join("\n");
}
