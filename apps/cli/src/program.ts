import packageJson from "../package.json" with { type: "json" };
import { hidePasswords } from "@trivault/core/basics";
import { Command } from "commander";
import { addAlerts } from "./commands/alerts.ts";
import { addAudit } from "./commands/audit.ts";
import { addCompletion } from "./commands/completion.ts";
import { addConfig } from "./commands/config.ts";
import { addEncrypt } from "./commands/encrypt.ts";
import { addAcknowledge, addDiscard } from "./commands/gone.ts";
import { addHealth } from "./commands/health.ts";
import { addKeep } from "./commands/keep.ts";
import { addKeys } from "./commands/keys-generate.ts";
import { addList } from "./commands/list.ts";
import { addMonitor } from "./commands/monitor.ts";
import { addReports } from "./commands/reports.ts";
import { addRestore } from "./commands/restore.ts";
import { addRun } from "./commands/run.ts";
import { addShow } from "./commands/show.ts";
import { addCloud, addRotate, addSync } from "./commands/tier-commands.ts";
import { addSite } from "./commands/site.ts";
import { addToken } from "./commands/token.ts";
import { addUser } from "./commands/user.ts";
import { addVerify } from "./commands/verify.ts";
import { EXIT_CODES_HELP } from "./exit-codes.ts";
import { sayText } from "./output.ts";

export function createProgram(): Command {
  const program = new Command("trivault")
    .description("Back up PostgreSQL into three tiers, and restore it from any of them.")
    .version(packageJson.version)
    .helpCommand(false)
    .showHelpAfterError("(say --help for what there is)")
    // What commander says about a mistake repeats what was typed.
    .configureOutput({
      writeErr: (text) => sayText(hidePasswords(text.trimEnd())),
      outputError: (text, write) => write(withoutDangerousGuess(text)),
    })
    .exitOverride()
    .addHelpText("afterAll", EXIT_CODES_HELP)
    .addHelpText(
      "after",
      `
Each command is also an npm script: npm run backup:<noun>:<verb> -- <options>. Settings come from the environment, a .env
file and trivault.config.yaml. With --json, stdout holds one JSON value and nothing else (npm run --silent, or npm's
banner precedes it).`,
    );
  addRun(program);
  addList(program);
  addShow(program);
  addRestore(program);
  addVerify(program);
  addHealth(program);
  addSync(program);
  addCloud(program);
  addRotate(program);
  addKeep(program);
  addAcknowledge(program);
  addDiscard(program);
  addEncrypt(program);
  addAudit(program);
  addAlerts(program);
  addMonitor(program);
  addReports(program);
  addKeys(program);
  addSite(program);
  addToken(program);
  addUser(program);
  addConfig(program);
  addCompletion(program);
  for (const noun of program.commands) noun.helpCommand(false);
  return program;
}

/** What takes a question or a check away. Nobody who mistyped another option meant it. */
const DANGEROUS = new Set([
  "--force",
  "--yes",
  "--allow-unsigned",
  "--globals",
  "--no-owner",
  "--database-properties",
  "--remove",
]);

/** commander guesses by letters alone: `restore --before` became "Did you mean --force?". */
function withoutDangerousGuess(text: string): string {
  return text.replace(/\n\(Did you mean (?:one of )?(--[\w-]+(?:, --[\w-]+)*)\?\)/, (_, guesses: string) => {
    const harmless = guesses.split(", ").filter((guess) => !DANGEROUS.has(guess));
    if (harmless.length === 0) return "";
    return `\n(Did you mean ${harmless.length > 1 ? "one of " : ""}${harmless.join(", ")}?)`;
  });
}
