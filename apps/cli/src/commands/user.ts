import type { Command } from "commander";
import type { AddUserOptions, ResetUserOptions } from "../actions/users/enrol.ts";
import { notEmpty } from "../arguments.ts";
import { OPTION_TEXTS } from "../option-texts.ts";
import { perform } from "../perform.ts";
import { roleOption } from "../role-option.ts";

interface JsonOption {
  readonly json?: boolean;
}

export function addUser(program: Command): void {
  const user = program.command("user").description("people who log in to the dashboard");
  addAdd(user);
  addList(user);
  addRemove(user);
  addReset(user);
}

function addAdd(user: Command): void {
  user
    .command("add")
    .description("add a user, with a password and a second factor")
    .requiredOption("--name <name>", "what they log in with: small letters and digits", notEmpty)
    .addOption(roleOption().makeOptionMandatory())
    .option("--json", OPTION_TEXTS.json)
    .addHelpText(
      "after",
      `
The password (at least 12 characters) is asked for, or read from stdin. Printed once: what an authenticator app needs,
as a QR code on a terminal, and ten recovery codes, each good for one login without the app.

Examples:
  npm run backup:user:add -- --name alice --role admin
  npm run --silent backup:user:add -- --name bob --role viewer --json < password-file`,
    )
    .action((options: AddUserOptions) =>
      perform(options, async (running) => (await import("../actions/users/enrol.ts")).userAdd(options, running)),
    );
}

function addList(user: Command): void {
  user
    .command("list")
    .description("list the users: role, last login, recovery codes that are left")
    .option("--json", OPTION_TEXTS.json)
    .addHelpText(
      "after",
      `
Examples:
  npm run backup:user:list
  npm run --silent backup:user:list -- --json`,
    )
    .action((options: JsonOption) =>
      perform(options, async (running) => (await import("../actions/users/list.ts")).userList(running)),
    );
}

function addRemove(user: Command): void {
  user
    .command("remove")
    .description("remove a user, and end all their sessions at once")
    .argument("<name>", "who, as list prints it", notEmpty)
    .option("--json", OPTION_TEXTS.json)
    .addHelpText(
      "after",
      `
Examples:
  npm run backup:user:remove -- alice
  npm run --silent backup:user:remove -- alice --json`,
    )
    .action((name: string, options: JsonOption) =>
      perform(options, async (running) => (await import("../actions/users/remove.ts")).userRemove(name, running)),
    );
}

function addReset(user: Command): void {
  user
    .command("reset")
    .description("give a user a new password, second factor and recovery codes")
    .argument("<name>", "who, as list prints it", notEmpty)
    .addOption(roleOption("also another role: "))
    .option("--json", OPTION_TEXTS.json)
    .addHelpText(
      "after",
      `
For users who have lost password or phone. All their sessions end at once. It asks and prints as add does.

Examples:
  npm run backup:user:reset -- alice
  npm run backup:user:reset -- alice --role operator`,
    )
    .action((name: string, options: ResetUserOptions) =>
      perform(options, async (running) =>
        (await import("../actions/users/enrol.ts")).userReset(name, options, running),
      ),
    );
}
