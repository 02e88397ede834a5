import type { Command } from "commander";
import type { ConfigCheckOptions } from "../actions/config/check.ts";
import { OPTION_TEXTS } from "../option-texts.ts";
import { perform } from "../perform.ts";

export function addConfig(program: Command): void {
  const config = program.command("config").description("look at the settings");
  config
    .command("check")
    .description("show what is in force, secrets hidden, and test every connection")
    .option("--offline", "only read the settings, connect nowhere")
    .option("--json", OPTION_TEXTS.json)
    .addHelpText(
      "after",
      `
Settings come from the environment, .env and trivault.config.yaml (or the file that BACKUP_CONFIG names). Each
database is connected to, each server is asked which databases match, each tier is tried by writing, reading and
removing a small file. It ends with 0 only if all of that works, and with 1 where a setting is wrong: everything that is
wrong is reported at once.

Examples:
  npm run backup:config:check
  npm run --silent backup:config:check -- --offline --json`,
    )
    .action((options: ConfigCheckOptions) =>
      perform(options, async (running) => (await import("../actions/config/check.ts")).checkConfig(options, running)),
    );
  config
    .command("schema")
    .description("print the JSON Schema of trivault.config.yaml, for editors")
    .addHelpText(
      "after",
      `
The repository holds it as trivault.schema.json.

Example:
  npm run --silent backup:config:schema > trivault.schema.json`,
    )
    .action(() => perform({}, async () => (await import("../actions/config/schema.ts")).printSchema()));
}
