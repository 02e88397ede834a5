import type { Command } from "commander";
import { notEmpty } from "../arguments.ts";
import { OPTION_TEXTS } from "../option-texts.ts";
import { perform } from "../perform.ts";

interface Options {
  readonly site?: string;
  readonly json?: boolean;
}

export function addSite(program: Command): void {
  const site = program.command("site").description("say whose folder BACKUP_DIR is, where that is in question");
  add(site, "show", {
    summary: "show the site of BACKUP_DIR, and the sites that the tiers know",
    help: `
It changes nothing. Use it where a start was refused, before you say anything else.`,
  });
  add(site, "new", {
    summary: "begin a new site in BACKUP_DIR, beside those that use the same tiers",
    help: `
It makes a site of its own of a folder that was copied from another site: with another id and signing key (the old key
is kept beside it), without what the original has in the making. Better give it a folder of its own on each tier, too:
backups of databases of the same name lie side by side there.`,
  });
  add(site, "recover", {
    summary: "go on in an empty BACKUP_DIR with the site that the tiers know",
    help: `
For a lost disk, not for one that is not mounted: that one you only mount. Put the signing key back first, or say which
key is to be trusted: BACKUP_TRUSTED_KEYS. What is missing locally is then copied back by maintenance.`,
    site: true,
  });
  add(site, "move", {
    summary: "the site has moved here: its former folder is not used any more",
    help: `
Two of one site delete each other's backups in the making, so the other must have been stopped for good.`,
  });
}

function add(
  parent: Command,
  verb: "show" | "new" | "recover" | "move",
  { summary, help, site = false }: { readonly summary: string; readonly help: string; readonly site?: boolean },
): void {
  const command = parent.command(verb).description(summary);
  if (site) command.option("--site <id>", "which one, where several sites use the tiers", notEmpty);
  command
    .option("--json", OPTION_TEXTS.json)
    .addHelpText(
      "after",
      `${help}

Examples:
  npm run backup:site:${verb}
  npm run --silent backup:site:${verb} -- --json`,
    )
    .action((options: Options) =>
      perform(options, async (running) =>
        (await import("../actions/site/site.ts")).site(verb, options.site ?? null, running),
      ),
    );
}
