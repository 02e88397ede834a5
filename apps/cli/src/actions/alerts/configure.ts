import path from "node:path";
import { type ChannelTest, testChannels } from "@trivault/alerts";
import {
  type Config,
  DEFAULT_CONFIG_FILE,
  messageOf,
  type PreparedConfig,
  prepareConfigChange,
  TrivaultError,
} from "@trivault/core";
import { openChannels, pingDeadMan } from "@trivault/notify";
import { ask, isInteractive, readSecret } from "../../ask.ts";
import { readEnvironment } from "../../environment.ts";
import { EXIT } from "../../exit-codes.ts";
import { print, printJson, say } from "../../output.ts";
import type { Running } from "../../perform.ts";
import { changesOf, type Wanted } from "./changes.ts";
import { dialogue } from "./dialogue.ts";

export interface ConfigureOptions extends Wanted {
  readonly stdin?: boolean;
  /** `--no-test` */
  readonly test?: boolean;
  readonly json?: boolean;
}

interface Outcome {
  readonly file: string;
  readonly written: boolean;
  readonly tests: readonly ChannelTest[];
}

const DEAD_MAN = "the dead man's switch";

export async function alertsConfigure(options: ConfigureOptions, running: Running): Promise<number> {
  const { signal, json } = running;
  const { config } = readEnvironment("read");
  const file = config.configFile ?? path.resolve(DEFAULT_CONFIG_FILE);
  const { stdin = false, test = true, json: _json, ...wanted } = options;
  if (stdin || changesOf(wanted).length > 0) {
    const secrets = stdin ? { secrets: { channel: await readSecret("The URL or token: ", signal) } } : {};
    const outcome = await change(file, { ...wanted, ...secrets }, test, async () => false, signal);
    show(outcome, json);
    return outcome.written ? EXIT.ok : EXIT.failed;
  }
  if (!isInteractive()) {
    const message =
      "No option says what to configure, and nobody can be asked (no terminal). Say what, such as --channel ops --kind slack --url-env SLACK_URL; --help shows all options.";
    throw new TrivaultError("INPUT_INVALID", message, { permanent: true });
  }
  return converse(file, config, test, running);
}

/** Each answer is tried and written by itself, so that what was set up stays if a later one goes wrong. */
async function converse(file: string, config: Config, test: boolean, { signal, json }: Running): Promise<number> {
  const asking = {
    ask: (question: string) => ask(question, signal),
    askSecret: (question: string) => readSecret(question, signal),
    say,
  };
  const keepAnyway = async () => /^y/i.test(await ask("Keep it all the same? (y/N) ", signal));
  const outcomes: Outcome[] = [];
  for await (const wanted of dialogue(asking, config.monitoring.mail)) {
    try {
      const outcome = await change(file, wanted, test, keepAnyway, signal);
      outcomes.push(outcome);
      if (!json) show(outcome, false);
    } catch (error) {
      signal.throwIfAborted();
      say(`Nothing was changed. ${messageOf(error)}`);
    }
  }
  if (json) printJson({ file, steps: outcomes });
  return outcomes.every(({ written }) => written) ? EXIT.ok : EXIT.failed;
}

/** Prepared beside the file, tried, and only then in force. */
async function change(
  file: string,
  wanted: Wanted,
  test: boolean,
  keepAnyway: () => Promise<boolean>,
  signal: AbortSignal,
): Promise<Outcome> {
  const prepared = await prepareConfigChange(file, changesOf(wanted), process.env);
  try {
    const tests = test ? await tryOut(prepared, wanted, signal) : [];
    for (const { channel, ok, problem } of tests)
      say(ok ? `${channel} took a test message.` : `${channel}: ${problem}`);
    const written = tests.every(({ ok }) => ok) || (await keepAnyway());
    await (written ? prepared.commit() : prepared.discard());
    return { file: prepared.file, written, tests };
  } catch (error) {
    await prepared.discard();
    throw error;
  }
}

/** A real message through whatever the change touches. */
async function tryOut({ config }: PreparedConfig, wanted: Wanted, signal: AbortSignal): Promise<ChannelTest[]> {
  const touchesMail =
    Object.keys(wanted).some((key) => key.startsWith("mail")) || wanted.secrets?.mailPassword !== undefined;
  const named = config.monitoring.alerts.channels.filter(
    ({ name, kind }) => name === wanted.channel || (touchesMail && kind === "email"),
  );
  const channels = openChannels(
    { ...config.monitoring, alerts: { ...config.monitoring.alerts, channels: named } },
    { publicUrl: config.api.publicUrl, pausesMs: [] },
  );
  try {
    const tests = await testChannels(channels, null, config.monitoring.alerts.language, new Date(), signal);
    if (wanted.channel !== undefined && !named.some(({ name }) => name === wanted.channel)) {
      const why = config.warnings.find((warning) => warning.includes(`alerts.channels.${wanted.channel} `)) ?? "";
      tests.push(untried(wanted.channel, wanted.kind ?? "", why));
    }
    return [...tests, ...(await tryDeadMan(config, wanted, signal))];
  } finally {
    await Promise.all(channels.map((channel) => channel.close()));
  }
}

async function tryDeadMan(config: Config, wanted: Wanted, signal: AbortSignal): Promise<ChannelTest[]> {
  if (wanted.deadManUrlEnv === undefined && wanted.secrets?.deadManUrl === undefined) return [];
  const { deadMan } = config.monitoring.alerts;
  if (deadMan === null)
    return [untried(DEAD_MAN, "deadMan", config.warnings.find((each) => each.includes("deadMan")) ?? "")];
  try {
    await pingDeadMan(deadMan.url, null, { signal, pausesMs: [] });
    return [{ channel: DEAD_MAN, kind: "deadMan", ok: true, problem: null }];
  } catch (error) {
    return [{ channel: DEAD_MAN, kind: "deadMan", ok: false, problem: messageOf(error) }];
  }
}

function untried(channel: string, kind: string, why: string): ChannelTest {
  return { channel, kind, ok: false, problem: `It cannot be tried here: ${why} Set the variable, or say --no-test.` };
}

function show({ file, written, tests }: Outcome, json: boolean): void {
  if (json) printJson({ file, written, tests });
  else if (written) print(`${file} is written. A running Trivault takes it up within seconds.`);
  else say("Nothing was changed, as the test did not arrive. Correct it and try again, or say --no-test.");
}
