import { type Command, InvalidArgumentError, Option } from "commander";
import type { ConfigureOptions } from "../actions/alerts/configure.ts";
import type { ListOptions } from "../actions/alerts/list.ts";
import type { SilenceOptions } from "../actions/alerts/silence.ts";
import { notEmpty, wholeNumber } from "../arguments.ts";
import { DAY_SECONDS, LANGUAGES, parseDuration } from "@trivault/core/basics";
import { OPTION_TEXTS } from "../option-texts.ts";
import { perform } from "../perform.ts";

const KINDS = ["email", "slack", "discord", "teams", "telegram", "ntfy", "webhook"] as const;

interface JsonOption {
  readonly json?: boolean;
}

export function addAlerts(program: Command): void {
  const alerts = program.command("alerts").description("what is reported when something is wrong, and to whom");
  addConfigure(alerts);
  addTest(alerts);
  addList(alerts);
  addSilence(alerts);
  addUnsilence(alerts);
}

function addConfigure(alerts: Command): void {
  alerts
    .command("configure")
    .description("set up where alerts go: asks, tries each channel with a real message, and writes the configuration")
    .option("--channel <name>", "the channel to make or change, such as ops", notEmpty)
    .addOption(new Option("--kind <kind>", "what it is").choices(KINDS))
    .addOption(
      new Option("--from <severity>", "the least severity that is sent there").choices(["warning", "critical"]),
    )
    .option("--url-env <variable>", "the variable that holds its URL (slack, discord, teams, ntfy, webhook)", notEmpty)
    .option("--bot-token-env <variable>", "the variable that holds the bot's token (telegram)", notEmpty)
    .option("--chat-id <id>", "the chat that the bot writes to (telegram)", notEmpty)
    .option("--token-env <variable>", "the variable that holds its access token (ntfy)", notEmpty)
    .option("--secret-env <variable>", "the variable that holds what messages are signed with (webhook)", notEmpty)
    .option("--to <addresses>", "who gets the mail, separated by commas (email)", addresses)
    .option("--stdin", "read its URL (telegram: the bot's token) from stdin, and keep it in the file")
    .option("--remove <name>", "take a channel out", notEmpty)
    .option("--mail-host <host>", "the SMTP server", notEmpty)
    .option("--mail-port <port>", "its port (default: by --mail-security)", wholeNumber(1, 65_535))
    .addOption(new Option("--mail-security <how>", "how it is secured").choices(["starttls", "tls", "none"]))
    .option("--mail-user <login>", "the login there", notEmpty)
    .option("--mail-password-env <variable>", "the variable that holds its password", notEmpty)
    .option("--mail-from <address>", "the sender, such as 'Trivault <backup@example.org>'", notEmpty)
    .option(
      "--dead-man-url-env <variable>",
      "the variable that holds the URL to call while everything is healthy",
      notEmpty,
    )
    .option("--dead-man-every <duration>", "how often it is called (default: 5m)", notEmpty)
    .option("--remove-dead-man", "call nobody any more")
    .option("--no-test", "write it without trying it")
    .option("--json", OPTION_TEXTS.json)
    .addHelpText(
      "after",
      `
Without options it asks. Secrets are never given on the command line: name the variable that holds one, or --stdin. The
file keeps its comments; it is checked whole before it replaces the old one, and belongs to its user alone (0600). A
running Trivault takes it up within seconds. If a channel does not take the test, nothing is changed; it ends with 1.

Examples:
  npm run backup:alerts:configure
  npm run backup:alerts:configure -- --channel ops --kind slack --url-env SLACK_URL
  npm run backup:alerts:configure -- --channel mail --kind email --to ops@example.org --mail-host smtp.example.org
    --mail-user backup --mail-password-env MAIL_PASSWORD --mail-from backup@example.org
  npm run backup:alerts:configure -- --dead-man-url-env DEAD_MAN_URL --dead-man-every 5m
  npm run backup:alerts:configure -- --remove ops`,
    )
    .action((options: ConfigureOptions) =>
      perform(options, async (running) =>
        (await import("../actions/alerts/configure.ts")).alertsConfigure(options, running),
      ),
    );
}

function addTest(alerts: Command): void {
  alerts
    .command("test")
    .description("send a real message through each channel, and show which took it")
    .option("--channel <name>", "only this channel", notEmpty)
    .option("--json", OPTION_TEXTS.json)
    .addHelpText(
      "after",
      `
It ends with 0 if every channel took its message.

Examples:
  npm run backup:alerts:test
  npm run backup:alerts:test -- --channel ops`,
    )
    .action((options: JsonOption & { channel?: string }) =>
      perform(options, async (running) => (await import("../actions/alerts/test.ts")).alertsTest(options, running)),
    );
}

function addList(alerts: Command): void {
  alerts
    .command("list")
    .description("list the alerts that fire now, the worst first")
    .addOption(new Option("--language <language>", "what they say (default: alerts.language)").choices(LANGUAGES))
    .option("--json", OPTION_TEXTS.json)
    .addHelpText(
      "after",
      `
It shows what the running API last found; with none running, what it found when it ended.

Examples:
  npm run backup:alerts:list
  npm run backup:alerts:list -- --language fr
  npm run --silent backup:alerts:list -- --json`,
    )
    .action((options: ListOptions) =>
      perform(options, async (running) => (await import("../actions/alerts/list.ts")).alertsList(options, running)),
    );
}

function addSilence(alerts: Command): void {
  alerts
    .command("silence")
    .description("silence an alert for some time; it is evaluated all the same")
    .argument("<id>", "its id, as list prints it", notEmpty)
    .requiredOption("--for <duration>", "for how long, such as 8h or 3d", seconds)
    .requiredOption("--reason <text>", "why; it goes into the audit log", notEmpty)
    .option("--json", OPTION_TEXTS.json)
    .addHelpText(
      "after",
      `
Silenced again, it has the new reason and end.

Examples:
  npm run backup:alerts:silence -- tier-unreachable-1a2b3c4d --for 8h --reason 'the server moves'`,
    )
    .action((id: string, options: SilenceOptions) =>
      perform(options, async (running) =>
        (await import("../actions/alerts/silence.ts")).alertsSilence(id, options, running),
      ),
    );
}

function addUnsilence(alerts: Command): void {
  alerts
    .command("unsilence")
    .description("end the silence of an alert")
    .argument("<id>", "its id, as list prints it", notEmpty)
    .option("--json", OPTION_TEXTS.json)
    .addHelpText(
      "after",
      `
Examples:
  npm run backup:alerts:unsilence -- tier-unreachable-1a2b3c4d`,
    )
    .action((id: string, options: JsonOption) =>
      perform(options, async (running) => (await import("../actions/alerts/silence.ts")).alertsUnsilence(id, running)),
    );
}

function addresses(text: string): string[] {
  const found = text
    .split(",")
    .map((each) => each.trim())
    .filter((each) => each !== "");
  if (found.length > 0) return found;
  throw new InvalidArgumentError("Expected mail addresses, such as ops@example.org,boss@example.org.");
}

function seconds(text: string): number {
  const found = parseDuration(text);
  if (found !== null && found >= 60 && found <= 366 * DAY_SECONDS) return found;
  throw new InvalidArgumentError("Expected a duration from 1m to 366d, such as 8h or 3d.");
}
