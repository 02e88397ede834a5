import { type BackupList, type BackupSummary, listBackups } from "@trivault/backup";
import { formatBytes } from "@trivault/core";
import type { Command } from "commander";
import { notEmpty } from "../arguments.ts";
import { readEnvironment, withTiers } from "../environment.ts";
import { EXIT } from "../exit-codes.ts";
import { formatAge, formatTime, print, printJson, say, table } from "../output.ts";
import { perform } from "../perform.ts";

interface ListOptions {
  readonly database?: string;
  readonly json?: boolean;
}

export function addList(program: Command): void {
  program
    .command("list")
    .description("list the backups on all tiers, newest first")
    .option("--database <name>", "only those of this database", notEmpty)
    .option("--json", "print one JSON object on stdout")
    .addHelpText(
      "after",
      `
It asks the tiers themselves: Redis and the database are not needed. "yes" is a complete copy, "partial" one that is
being made or was cut off, "?" a tier that could not be asked. It ends with 0 unless no tier could be asked.

Examples:
  npm run backup:list
  npm run --silent backup:list -- --database shop --json`,
    )
    .action((options: ListOptions) =>
      perform(options, async ({ signal, json }) => {
        const { config } = readEnvironment("read");
        return withTiers(config, async (tiers) => {
          const list = await listBackups(tiers, options.database, signal);
          signal.throwIfAborted();
          for (const { tier, reason } of list.unreachable) say(`The tier ${tier} could not be asked: ${reason}`);
          const names = tiers.map(({ name }) => name);
          if (json) printJson(list);
          else if (list.backups.length === 0) print("No backups were found.");
          else print(backupTable(list, names, new Date()));
          return list.unreachable.length === tiers.length ? EXIT.failed : EXIT.ok;
        });
      }),
    );
}

export function backupTable(list: BackupList, tiers: readonly string[], now: Date): string {
  const unknown = new Set(list.unreachable.map(({ tier }) => tier));
  return table(
    ["BACKUP", "DATABASE", "STARTED", "AGE", ">SIZE", ...tiers.map((name) => name.toUpperCase())],
    list.backups.map((backup) => [
      backup.id,
      backup.database,
      formatTime(backup.startedAt),
      formatAge(now.getTime() - backup.startedAt.getTime()),
      formatBytes(backup.bytes),
      ...tiers.map((name) => (unknown.has(name) ? "?" : copyState(backup, name))),
    ]),
  );
}

export function copyState(backup: BackupSummary, tier: string): "yes" | "partial" | "no" {
  const copy = backup.copies.find((candidate) => candidate.tier === tier);
  if (copy === undefined) return "no";
  return copy.complete ? "yes" : "partial";
}
