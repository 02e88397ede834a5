import type { Recorder } from "@trivault/audit";
import { namePassedOver, type RestoreRequest, type RestoreResult } from "@trivault/backup";
import { formatBytes, TrivaultError } from "@trivault/core";
import { restoreRecorded } from "@trivault/site";
import { describeConnection, parseDatabaseUrl } from "@trivault/postgres";
import { actor } from "../../actor.ts";
import { ask, isInteractive } from "../../ask.ts";
import type { Environment } from "../../environment.ts";
import { EXIT } from "../../exit-codes.ts";
import { formatSeconds, print, printJson, say } from "../../output.ts";
import type { Running } from "../../perform.ts";
import { showProgress, type Task } from "../../progress.ts";
import { withRecord } from "../../record.ts";
import { withTiers } from "../shared/with-tiers.ts";

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
  readonly databaseProperties?: boolean;
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
    databaseProperties: options.databaseProperties ?? false,
    jobs: options.jobs,
    allowUnsigned: options.allowUnsigned ?? false,
  };
  const result = await withRecord(environment.config, (record) => carryOut(environment, record, request, running));
  if (running.json) printJson(result);
  else for (const line of summary(result)) print(line);
  return EXIT.ok;
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
  record: Recorder,
  request: RestoreRequest,
  { signal }: Running,
): Promise<RestoreResult> {
  const display = showProgress(process.stderr);
  const show = (state: Task["state"], bytes: number, totalBytes: number | null) =>
    display.update([{ name: "restore", state, bytes, totalBytes }]);
  try {
    const result = await withTiers(config, (tiers) =>
      restoreRecorded({ config, tiers, record }, request, actor(), {
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

function summary(result: RestoreResult): string[] {
  const { backupId, database, target, created, bytes, seconds, segmentsFrom, damage, passedOver, tablesCompared } =
    result;
  const tiers = Object.entries(segmentsFrom).map(([tier, segments]) => `${segments} from ${tier}`);
  const rows =
    tablesCompared === null
      ? "The backup holds no row counts to compare with."
      : `The row counts of all ${tablesCompared} tables equal those of the backup.`;
  return [
    `Backup ${backupId} of ${database} is restored into ${created ? "the new database " : ""}${target}.`,
    `${formatBytes(bytes)} in ${formatSeconds(seconds)}; segments: ${tiers.join(", ")}.`,
    rows,
    ...(passedOver.length > 0
      ? [`Newer and not trusted, passed over: ${passedOver.length}. ${namePassedOver(passedOver)}.`]
      : []),
    ...(result.roles === null ? [] : rolesText(result.roles)),
    ...(result.properties === null ? [] : propertiesText(result.properties)),
    ...damage.map(({ tier, problem }) => `Damage on ${tier}, passed over: ${problem}`),
  ];
}

function rolesText({ made, existing, refused }: NonNullable<RestoreResult["roles"]>): string[] {
  return [
    `Roles: ${made.length} made, ${existing.length} that exist and are left as they are, ${refused.length} left out or refused${refused.length === 0 ? "." : ":"}`,
    ...refused.map((line) => `- ${line}`),
  ];
}

function propertiesText({ applied, refused }: NonNullable<RestoreResult["properties"]>): string[] {
  return [
    `Owner, settings, rights and comment of the database: ${applied.length} applied, ${refused.length} left out or refused${refused.length === 0 ? "." : ":"}`,
    ...refused.map((line) => `- ${line}`),
  ];
}
