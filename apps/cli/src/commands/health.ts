import type { Command } from "commander";
import type { HealthOptions } from "../actions/health/health.ts";
import { notEmpty } from "../arguments.ts";
import { OPTION_TEXTS } from "../option-texts.ts";
import { perform } from "../perform.ts";

export function addHealth(program: Command): void {
  program
    .command("health")
    .description("whether every database is safe on all its tiers; ends with 0 only if so")
    .option("--database <name>", "only those of this database", notEmpty)
    .option("--fresh", "ask every tier itself, instead of believing what maintenance found lately")
    .option("--nagios", "print one line and end with 0 (OK), 2 (CRITICAL) or 3 (UNKNOWN), as Nagios plugins do")
    .option("--json", OPTION_TEXTS.json)
    .addHelpText(
      "after",
      `
A database is safe if each of its tiers holds a complete copy, signed by a key known here, that is not older than its
objective: as configured, else the longest pause in its schedule and as long again, at most two hours more (hourly:
2 h, daily: 26 h). Without a schedule any backup will do. Redis is not needed; what maintenance found in its last two
rounds is believed, and where that is older the tiers are asked.

Examples:
  npm run backup:health
  npm run --silent backup:health -- --json
  npm run --silent backup:health -- --nagios       as a check of Nagios or Icinga
  npm run --silent backup:health || page-somebody  in a cron job`,
    )
    .action((options: HealthOptions, command: Command) => {
      if (options.nagios && options.json) command.error("error: say --nagios or --json, not both");
      return perform(options, async (running) =>
        (await import("../actions/health/health.ts")).health(options, running),
      );
    });
}
