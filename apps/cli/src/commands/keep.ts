import type { Command } from "commander";
import type { KeepOptions } from "../actions/keep/marks.ts";
import { backupId, notEmpty } from "../arguments.ts";
import { OPTION_TEXTS } from "../option-texts.ts";
import { perform } from "../perform.ts";

const DATABASE = "which database (default: the only one configured)";

export function addKeep(program: Command): void {
  const keep = program.command("keep").description("hold backups that no rule may delete");
  addAdd(keep);
  addRemove(keep);
  addList(keep);
  addAcceptSize(keep);
}

function addAdd(keep: Command): void {
  keep
    .command("add")
    .description("hold a backup on all tiers until it is released, whatever the rules say")
    .argument("<id>", "the backup's id", backupId)
    .requiredOption("--reason <text>", "why; it is shown wherever the backup is", notEmpty)
    .option("--database <name>", DATABASE, notEmpty)
    .option("--json", OPTION_TEXTS.json)
    .addHelpText(
      "after",
      `
Retention deletes no copy of it from then on, and tiers of its database that lack it get one. It is a rule and not a
lock: whoever may write to a tier can still remove its files there. Marking it again replaces the reason.

Examples:
  npm run backup:keep:add -- 20261123t020000z-7f3k9xq2 --reason "lawsuit 4711"
  npm run --silent backup:keep:add -- 20261123t020000z-7f3k9xq2 --database shop --reason audit --json`,
    )
    .action((id: string, options: KeepOptions & { reason: string }) =>
      perform(options, async (running) => (await import("../actions/keep/marks.ts")).keepAdd(id, options, running)),
    );
}

function addRemove(keep: Command): void {
  keep
    .command("remove")
    .description("release a backup that is held: the rules apply to it again")
    .argument("<id>", "the backup's id", backupId)
    .option("--database <name>", DATABASE, notEmpty)
    .option("--json", OPTION_TEXTS.json)
    .addHelpText(
      "after",
      `
If no rule keeps it, the next maintenance deletes it. See what the rules say first: npm run backup:rotate -- --dry-run

Examples:
  npm run backup:keep:remove -- 20261123t020000z-7f3k9xq2
  npm run --silent backup:keep:remove -- 20261123t020000z-7f3k9xq2 --database shop --json`,
    )
    .action((id: string, options: KeepOptions) =>
      perform(options, async (running) => (await import("../actions/keep/marks.ts")).keepRemove(id, options, running)),
    );
}

function addList(keep: Command): void {
  keep
    .command("list")
    .description("list the backups that are held, and why; and the sizes that were accepted")
    .option("--json", OPTION_TEXTS.json)
    .addHelpText(
      "after",
      `
It ends with 1 where a mark cannot be read; nothing at all is deleted until that is put right.

Examples:
  npm run backup:keep:list
  npm run --silent backup:keep:list -- --json`,
    )
    .action((options: { json?: boolean }) =>
      perform(options, async (running) => (await import("../actions/keep/list.ts")).keepList(running)),
    );
}

function addAcceptSize(keep: Command): void {
  keep
    .command("accept-size")
    .description("say that a database did become so small: its backups displace older, larger ones again")
    .requiredOption("--from <id>", "the first backup of the new size", backupId)
    .option("--database <name>", DATABASE, notEmpty)
    .option("--json", OPTION_TEXTS.json)
    .addHelpText(
      "after",
      `
Backups of less than a tenth of the size of those before displace none of them, lest a flood of empty dumps should
push out all that is good. If the database was emptied on purpose, say so by this; look into the newest one before.

Examples:
  npm run backup:keep:accept-size -- --from 20261123t020000z-7f3k9xq2
  npm run --silent backup:keep:accept-size -- --database shop --from 20261123t020000z-7f3k9xq2 --json`,
    )
    .action((options: KeepOptions & { from: string }) =>
      perform(options, async (running) => (await import("../actions/keep/marks.ts")).keepAcceptSize(options, running)),
    );
}
