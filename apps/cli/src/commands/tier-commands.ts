import type { Command } from "commander";
import type { TierSyncOptions } from "../actions/tiers/sync.ts";
import type { TierUploadOptions } from "../actions/tiers/upload.ts";
import type { TierListOptions } from "../actions/tiers/list.ts";
import type { TierStatsOptions } from "../actions/tiers/stats.ts";
import type { TierTestOptions } from "../actions/tiers/test.ts";
import type { TierCleanupOptions } from "../actions/tiers/cleanup.ts";
import type { TierNoun } from "../actions/tiers/nouns.ts";
import { backupIdOr, notEmpty } from "../arguments.ts";
import { OPTION_TEXTS } from "../option-texts.ts";
import { perform } from "../perform.ts";

interface Words {
  readonly noun: "sync" | "cloud";
  /** All tiers of the noun. */
  readonly them: string;
  readonly it: string;
}

const SYNC: Words = { noun: "sync", them: "the servers (SFTP, and folders beside the local tier)", it: "server" };
const CLOUD: Words = { noun: "cloud", them: "the buckets (S3)", it: "bucket" };

/** `sync` and `cloud` have the same verbs: they differ in the tiers that they are about. */
export function addSync(program: Command): void {
  const noun = program
    .command("sync")
    .description("the servers (SFTP, and folders beside the local tier): bring backups, list, test, clean up");
  for (const add of [addSyncVerb, addList, addStats, addTest, addCleanup]) add(noun, SYNC);
}

export function addCloud(program: Command): void {
  const noun = program
    .command("cloud")
    .description("the buckets (S3): upload, bring what is missing, list, test, clean up");
  for (const add of [addUpload, addSyncVerb, addList, addStats, addTest, addCleanup]) add(noun, CLOUD);
}

export function addRotate(program: Command): void {
  const command = program
    .command("rotate")
    .description("delete from the local tier what no rule keeps, and remove what is orphaned there");
  cleanupOptions(command, "local", "the local tier", "backup:rotate", "--database shop");
}

function addSyncVerb(noun: Command, { noun: name, them, it }: Words): void {
  noun
    .command("sync")
    .description(`bring ${them} every backup that they lack and shall hold, from whichever tier has it`)
    .option("--tier <name>", `only to this ${it}`, notEmpty)
    .option("--database <name>", "only those of this database", notEmpty)
    .option("--wait", OPTION_TEXTS.wait)
    .option("--inline", OPTION_TEXTS.inline)
    .option("--dry-run", "say what is missing, and copy nothing")
    .option("--json", OPTION_TEXTS.json)
    .addHelpText(
      "after",
      `
Every tier is looked at as it is now. Workers do the same by themselves, as often as BACKUP_MAINTENANCE_EVERY says: this
is for whoever does not want to wait for them. Without --wait it ends as soon as the copies are in the queue; with
--wait or --inline it ends with 0 only if nothing is missing afterwards. Ctrl-C with --wait ends the waiting, not the
copies.

Examples:
  npm run backup:${name}:sync -- --wait
  npm run backup:${name}:sync -- --dry-run
  npm run backup:${name}:sync -- --inline --database shop          where no worker runs`,
    )
    .action((options: TierSyncOptions, command: Command) => {
      const modes = [options.wait, options.inline, options.dryRun].filter(Boolean);
      if (modes.length > 1) command.error("error: say one of --wait, --inline and --dry-run");
      return perform(options, async (running) =>
        (await import("../actions/tiers/sync.ts")).syncTiers(name, options, running),
      );
    });
}

function addUpload(noun: Command, { noun: name, it }: Words): void {
  noun
    .command("upload")
    .description(`upload one backup now, and show progress until it is there`)
    .option("--database <name>", "which database (default: the only one configured)", notEmpty)
    .option("--backup <id>", "a backup's id, or latest", backupIdOr("latest"), "latest")
    .option("--tier <name>", `only to this ${it}`, notEmpty)
    .option("--inline", OPTION_TEXTS.inline)
    .option("--json", OPTION_TEXTS.json)
    .addHelpText(
      "after",
      `
It ends with 0 only if every ${it} (or the one of --tier) holds a complete copy. One that is there already is left
as it is.

Examples:
  npm run backup:${name}:upload
  npm run backup:${name}:upload -- --database shop --backup 20261123t020000z-7f3k9xq2
  npm run backup:${name}:upload -- --inline          where no worker runs`,
    )
    .action((options: TierUploadOptions) =>
      perform(options, async (running) =>
        (await import("../actions/tiers/upload.ts")).uploadBackup(name, options, running),
      ),
    );
}

function addList(noun: Command, { noun: name, it }: Words): void {
  noun
    .command("list")
    .description(`list what lies there, newest first, as it is now`)
    .option("--tier <name>", `only this ${it}`, notEmpty)
    .option("--database <name>", "only those of this database", notEmpty)
    .option("--json", OPTION_TEXTS.json)
    .addHelpText(
      "after",
      `
A backup is "complete" (its manifest is signed by a trusted key, and all of it is there), "damaged" (objects are
missing or have another size), "untrusted" (its manifest is not ours), "partial" (no manifest: being made, or cut
off) or "unknown" (it could not be read). Not every byte is read: \`verify\` does that. It ends with 1 where a tier could
not be asked.

Examples:
  npm run backup:${name}:list
  npm run --silent backup:${name}:list -- --database shop --json`,
    )
    .action((options: TierListOptions) =>
      perform(options, async (running) => (await import("../actions/tiers/list.ts")).listTiers(name, options, running)),
    );
}

function addStats(noun: Command, { noun: name, it }: Words): void {
  noun
    .command("stats")
    .description("how many backups lie there, how large, how old, and what that costs")
    .option("--tier <name>", `only this ${it}`, notEmpty)
    .option("--database <name>", "only those of this database", notEmpty)
    .option("--json", OPTION_TEXTS.json)
    .addHelpText(
      "after",
      `
It ends with 1 where a tier could not be asked. Costs are shown where the configuration file has prices.

Examples:
  npm run backup:${name}:stats
  npm run --silent backup:${name}:stats -- --json`,
    )
    .action((options: TierStatsOptions) =>
      perform(options, async (running) =>
        (await import("../actions/tiers/stats.ts")).tierStats(name, options, running),
      ),
    );
}

function addTest(noun: Command, { noun: name, it }: Words): void {
  const steps =
    name === "sync"
      ? "resolve its name, connect, host key, authenticate, folder, write, read back, rename, delete, free space"
      : "resolve its name, connect, clock, credentials, bucket, list, write, that wrong bytes are refused, that\n  nothing is overwritten, read back, delete";
  noun
    .command("test")
    .description("test the connection step by step, and say which step fails and what to do")
    .option("--tier <name>", `only this ${it}`, notEmpty)
    .option("--json", OPTION_TEXTS.json)
    .addHelpText(
      "after",
      `
Each ${it} is tried by doing what backups do there:
  ${steps}.
What is written lies under a name that is no backup's, and is removed. A step is given 15 seconds. It ends with 0
only if every step holds.

Examples:
  npm run backup:${name}:test
  npm run --silent backup:${name}:test -- --json`,
    )
    .action((options: TierTestOptions) =>
      perform(options, async (running) => (await import("../actions/tiers/test.ts")).testTiers(name, options, running)),
    );
}

function addCleanup(noun: Command, { noun: name, them, it }: Words): void {
  const command = noun
    .command("cleanup")
    .description("delete what no rule keeps there, and remove what is orphaned")
    .option("--tier <name>", `only on this ${it}`, notEmpty);
  cleanupOptions(command, name, them, `backup:${name}:cleanup`, "--database shop");
}

function cleanupOptions(command: Command, noun: TierNoun, where: string, script: string, example: string): void {
  command
    .option("--database <name>", "only those of this database", notEmpty)
    .option("--dry-run", OPTION_TEXTS.dryRun)
    .option("--yes", OPTION_TEXTS.yes)
    .option("--json", OPTION_TEXTS.json)
    .addHelpText(
      "after",
      `
Retention on ${where}, as maintenance applies it by itself;
by hand, no number of deletions is held back as too large. What goes is shown, and asked for on a terminal; elsewhere
--yes must be said. The newest complete copies never go, nor a backup that another tier shall have and has not got
yet, nor one that is marked (keep add). A tier that cannot be asked holds what may not be deleted without it; what
was held back is shown, and ends with 1.

Examples:
  npm run ${script} -- --dry-run
  npm run ${script} -- ${example} --yes`,
    )
    .action((options: TierCleanupOptions, self: Command) => {
      if (options.dryRun && options.yes) self.error("error: say --dry-run or --yes, not both");
      return perform(options, async (running) =>
        (await import("../actions/tiers/cleanup.ts")).cleanUpTiers(noun, options, running),
      );
    });
}
