import { type RestoreRequest, type RestoreResult, restoreBackup } from "@trivault/backup";
import { formatBytes, TrivaultError } from "@trivault/core";
import { describeConnection, parseDatabaseUrl } from "@trivault/postgres";
import type { Command } from "commander";
import { backupIdOr, notEmpty, wholeNumber } from "../arguments.ts";
import { ask, isInteractive, readSecret } from "../ask.ts";
import { type Environment, readEnvironment, withTiers } from "../environment.ts";
import { EXIT } from "../exit-codes.ts";
import { formatSeconds, print, printJson, say } from "../output.ts";
import { perform, type Running } from "../perform.ts";
import { showProgress } from "../progress.ts";

interface RestoreOptions {
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

export function addRestore(program: Command): void {
  program
    .command("restore")
    .description("restore a backup into a new or empty database")
    .requiredOption("--database <name>", "whose backup, as `list` shows it", notEmpty)
    .option("--backup <id>", "a backup's id, or latest", backupIdOr("latest"), "latest")
    .option("--from <tier>", "local, remote, cloud; or any: each segment from the first tier that has it good", "any")
    .option("--target <url>", "the database to restore into; - reads it from stdin, or asks for it")
    .option("--force", "replace what the target holds, where it is not empty")
    .option("--yes", "do not ask for confirmation of --force")
    .option("--no-owner", "everything belongs to the user who restores; no grants are made")
    .option("--globals", "first make the roles that the backup holds")
    .option("--jobs <n>", "parallel jobs of pg_restore", wholeNumber(1, 64), 1)
    .option("--allow-unsigned", "restore even where no key known here signed the manifest")
    .option("--json", "print one JSON object on stdout")
    .addHelpText(
      "after",
      `
It needs a tier, the identity file (BACKUP_IDENTITY_FILE) and a PostgreSQL server: neither Redis, nor the API, nor the
source database. Every segment is verified and decrypted before pg_restore sees a byte of it; afterwards the row counts
are compared. A target database that does not exist is made, and dropped again where the restore fails.

Without --target the URL is taken from BACKUP_RESTORE_TARGET. A URL with a password does not belong on a command line,
where every user of the machine can read it: put it there, or give it by --target -.

Examples:
  npm run backup:restore -- --database shop --target postgresql://admin@db2/shop_restored
  npm run backup:restore -- --database shop --backup 20261123t020000z-7f3k9xq2 --from cloud --target - < url.txt`,
    )
    .action((options: RestoreOptions, command: Command) =>
      perform(options, async (running) => {
        const environment = readEnvironment("read");
        const targetUrl = await targetOf(options, environment, running.signal);
        if (targetUrl === null) {
          command.error("error: no target: say --target URL, --target - (stdin), or set BACKUP_RESTORE_TARGET");
        }
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
        const result = await restore(environment, request, running);
        if (running.json) printJson(result);
        else print(summary(result));
        return EXIT.ok;
      }),
    );
}

async function targetOf(
  { target }: RestoreOptions,
  { restoreTarget }: Environment,
  signal: AbortSignal,
): Promise<string | null> {
  if (target === "-") return readSecret("Target URL (is not shown): ", signal);
  return target ?? restoreTarget;
}

async function confirm(targetUrl: string, signal: AbortSignal): Promise<void> {
  const connection = parseDatabaseUrl(targetUrl);
  say(`--force replaces what ${describeConnection(connection)} holds.`);
  const answer = await ask(`Type the name of that database to go on: `, signal);
  if (answer === connection.database) return;
  throw new TrivaultError("CANCELLED", "That is not its name; nothing was changed.", { permanent: true });
}

async function restore(
  { config, log }: Environment,
  request: RestoreRequest,
  { signal }: Running,
): Promise<RestoreResult> {
  const display = showProgress(process.stderr);
  try {
    return await withTiers(config, (tiers) =>
      restoreBackup(config, tiers, request, {
        signal,
        log,
        note: (line) => display.say(line),
        progress: ({ bytes, totalBytes }) =>
          display.update([{ name: "restore", state: "active", bytes, totalBytes: totalBytes ?? null }]),
      }),
    );
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
