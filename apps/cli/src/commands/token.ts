import { type Command, InvalidArgumentError } from "commander";
import { DAY_SECONDS, parseDuration } from "@trivault/core/basics";
import type { CreateTokenOptions } from "../actions/tokens/create.ts";
import { notEmpty } from "../arguments.ts";
import { OPTION_TEXTS } from "../option-texts.ts";
import { perform } from "../perform.ts";
import { roleOption } from "../role-option.ts";

interface JsonOption {
  readonly json?: boolean;
}

export function addToken(program: Command): void {
  const token = program.command("token").description("named tokens for programs that call the API");
  addCreate(token);
  addList(token);
  addRevoke(token);
}

function addCreate(token: Command): void {
  token
    .command("create")
    .description("make a token with a role and an end, and print it once")
    .requiredOption("--name <name>", "what it is for; it is in the audit log as token:<name>", notEmpty)
    .addOption(roleOption().makeOptionMandatory())
    .option("--expires <duration>", "how long it is good, such as 90d or 12h, or never", expiry, 90 * DAY_SECONDS)
    .option("--json", OPTION_TEXTS.json)
    .addHelpText(
      "after",
      `
By default it is good for 90 days. Only a hash of it is kept, in BACKUP_ACCESS_FILE (by default .trivault/access.json
under BACKUP_DIR): what is lost is made anew. A running API knows it at once. Send it as Authorization: Bearer <token>.

Examples:
  npm run backup:token:create -- --name ci --role operator --expires 90d
  npm run --silent backup:token:create -- --name prometheus --role viewer --expires never --json`,
    )
    .action((options: CreateTokenOptions) =>
      perform(options, async (running) => (await import("../actions/tokens/create.ts")).tokenCreate(options, running)),
    );
}

function addList(token: Command): void {
  token
    .command("list")
    .description("list the tokens: role, end, and when each was used last")
    .option("--json", OPTION_TEXTS.json)
    .addHelpText(
      "after",
      `
Examples:
  npm run backup:token:list
  npm run --silent backup:token:list -- --json`,
    )
    .action((options: JsonOption) =>
      perform(options, async (running) => (await import("../actions/tokens/list.ts")).tokenList(running)),
    );
}

function addRevoke(token: Command): void {
  token
    .command("revoke")
    .description("make a token worthless, at once")
    .argument("<name>", "its name, as list prints it", notEmpty)
    .option("--json", OPTION_TEXTS.json)
    .addHelpText(
      "after",
      `
Examples:
  npm run backup:token:revoke -- ci
  npm run --silent backup:token:revoke -- ci --json`,
    )
    .action((name: string, options: JsonOption) =>
      perform(options, async (running) => (await import("../actions/tokens/revoke.ts")).tokenRevoke(name, running)),
    );
}

/** Seconds; null for one that does not end. */
function expiry(text: string): number | null {
  if (text === "never") return null;
  const seconds = parseDuration(text);
  if (seconds !== null && seconds > 0) return seconds;
  throw new InvalidArgumentError("Expected a duration such as 90d or 12h, or never.");
}
