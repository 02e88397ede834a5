import { isLoopback } from "../../loopback.ts";
import type { FileChannel } from "./monitoring-schema.ts";
import type { Env } from "./tiers.ts";
import { type Format, FORMATS } from "../text/formats.ts";
import { shownVariable } from "../text/key-text.ts";
import {
  type AlertThresholds,
  type ChannelConfig,
  DEFAULT_MONITORING,
  type MailConfig,
  type MonitoringConfig,
  type ReportsConfig,
} from "../model/monitoring-types.ts";
import type { Problem } from "../model/problems.ts";
import type { ConfigFile } from "./read-file.ts";
import { withoutTrailing } from "../../without-trailing.ts";

const MAIL_PORTS = { tls: 465, starttls: 587, none: 25 } as const;

/** Its variable is not set, which does no harm here. */
const LEFT_OUT = Symbol("left out");

interface Input {
  readonly env: Env;
  readonly file: ConfigFile | null;
  /** What holds where a report says none. */
  readonly timeZone: string;
  /** On a machine that only reads, a channel whose secret is not there is left out. */
  readonly mayLackSecrets: boolean;
}

interface Result {
  readonly monitoring: MonitoringConfig;
  readonly problems: readonly Problem[];
  readonly warnings: readonly string[];
}

interface Around extends Input {
  readonly problem: (at: readonly string[], message: string) => void;
  readonly warnings: string[];
}

/** The sections `mail`, `alerts` and `reports`; where the file says nothing, DEFAULT_MONITORING holds. */
export function readMonitoring(input: Input): Result {
  const problems: Problem[] = [];
  const warnings: string[] = [];
  const problem = (at: readonly string[], message: string) => {
    if (input.file) problems.push(input.file.problem(at, message));
  };
  const around = { ...input, problem, warnings };
  const mail = readMail(around);
  const channels = Object.entries(input.file?.content.alerts?.channels ?? {}).flatMap(
    ([name, channel]) => readChannel(around, name, channel) ?? [],
  );
  const { alerts = {} } = input.file?.content ?? {};
  const byDefault = DEFAULT_MONITORING.alerts;
  const monitoring: MonitoringConfig = {
    mail,
    alerts: {
      channels: channels.filter(({ kind }) => kind !== "email" || mail !== null),
      language: alerts.language ?? byDefault.language,
      deadMan: readDeadMan(around),
      repeatSeconds: alerts.repeat ?? byDefault.repeatSeconds,
      off: [...new Set(alerts.off)],
      thresholds: readThresholds(around),
    },
    reports: readReports(around),
  };
  checkMail(around);
  warnings.push(...channels.flatMap(inClear), ...inClear({ name: "deadMan", ...monitoring.alerts.deadMan }));
  return { monitoring, problems, warnings };
}

function readMail(around: Around): MailConfig | null {
  const section = around.file?.content.mail;
  if (!section) return null;
  const { host, user = null, from } = section;
  const security = section.security ?? (section.port === MAIL_PORTS.tls ? "tls" : "starttls");
  const password = readSecret(around, ["mail"], section, "password", FORMATS.line);
  if (password === LEFT_OUT) return null;
  const given = around.file?.keysOf("mail") ?? [];
  const hasPassword = given.includes("password") || given.includes("passwordEnv");
  if (given.includes("user") && !hasPassword) {
    around.problem(["mail", "password"], "or passwordEnv must be set, since there is a user.");
  } else if (hasPassword && !given.includes("user")) {
    around.problem(["mail", "user"], "must be set, since there is a password.");
  }
  if (security === "none" && !isLoopback(host)) {
    if (user !== null) {
      const message = "is none, so the password would cross the network in clear: expected starttls or tls.";
      around.problem(["mail", "security"], message);
    } else around.warnings.push(`mail.security is none: mail to ${host} crosses the network in clear.`);
  }
  return { host, port: section.port ?? MAIL_PORTS[security], security, user, password, from };
}

function readChannel(around: Around, name: string, channel: FileChannel): ChannelConfig | null {
  const at = ["alerts", "channels", name];
  if (!/^[a-z][a-z0-9-]{0,30}$/.test(name)) {
    around.problem(at, "is no name for a channel: expected up to 31 of a-z, 0-9 and -, a letter first.");
  }
  const common = { name, from: channel.from ?? "warning" };
  if (channel.kind === "email") {
    if (channel.to.length === 0) around.problem([...at, "to"], "is empty: expected a mail address.");
    return { ...common, kind: channel.kind, to: channel.to };
  }
  if (channel.kind === "telegram") {
    const botToken = needSecret(around, at, channel, "botToken", FORMATS.botToken);
    const { chatId, apiUrl = "https://api.telegram.org" } = channel;
    return botToken === null
      ? null
      : { ...common, kind: channel.kind, botToken, chatId, apiUrl: withoutTrailing(apiUrl, "/") };
  }
  const url = needSecret(around, at, channel, "url", FORMATS.webUrl);
  if (channel.kind === "ntfy") {
    const token = readSecret(around, at, channel, "token", FORMATS.line);
    if (url === null || token === LEFT_OUT) return null;
    if (!/^\/(?:.*\/)?[\w-]{1,64}$/.test(new URL(url).pathname)) {
      const message = "names no topic (its value is hidden): expected a URL such as https://ntfy.sh/acme-backups.";
      around.problem([...at, "url"], message);
    }
    return { ...common, kind: channel.kind, url, token };
  }
  if (channel.kind === "webhook") {
    const secret = readSecret(around, at, channel, "secret", FORMATS.signingSecret);
    return url === null || secret === LEFT_OUT ? null : { ...common, kind: channel.kind, url, secret };
  }
  return url === null ? null : { ...common, kind: channel.kind, url };
}

/** A webhook's address is itself a secret, and a token goes with each message. */
function inClear(channel: { readonly name: string; readonly url?: string; readonly apiUrl?: string }): string[] {
  const url = channel.url ?? channel.apiUrl;
  if (url === undefined) return [];
  const { protocol, hostname, host } = new URL(url);
  if (protocol !== "http:" || isLoopback(hostname.replaceAll(/[[\]]/g, ""))) return [];
  return [
    `alerts: ${channel.name} goes to ${host} in clear, and with it the secret that opens that address: use https.`,
  ];
}

function readDeadMan(around: Around): MonitoringConfig["alerts"]["deadMan"] {
  const section = around.file?.content.alerts?.deadMan;
  if (!section) return null;
  const url = needSecret(around, ["alerts", "deadMan"], section, "url", FORMATS.webUrl);
  return url === null ? null : { url, everySeconds: section.every ?? 300 };
}

function readThresholds({ file }: Around): AlertThresholds {
  const given = file?.content.alerts?.thresholds ?? {};
  const byDefault = DEFAULT_MONITORING.alerts.thresholds;
  return {
    copyLagSeconds: given.copyLag ?? byDefault.copyLagSeconds,
    fullInSeconds: given.fullIn ?? byDefault.fullInSeconds,
    leastFree: given.leastFree ?? byDefault.leastFree,
    sizeFactor: given.sizeFactor ?? byDefault.sizeFactor,
    clockDriftSeconds: given.clockDrift ?? byDefault.clockDriftSeconds,
    expiresInSeconds: given.expiresIn ?? byDefault.expiresInSeconds,
    silentSeconds: given.silent ?? byDefault.silentSeconds,
  };
}

function readReports({ file, timeZone }: Around): ReportsConfig {
  const given = file?.content.reports ?? {};
  const byDefault = DEFAULT_MONITORING.reports;
  const cron = given.schedule ?? byDefault.schedule?.cron ?? "off";
  const { targets = {} } = given;
  return {
    schedule: cron === "off" ? null : { cron, timeZone: given.timeZone ?? timeZone },
    to: given.to ?? byDefault.to,
    language: given.language ?? byDefault.language,
    keepDays: given.keepDays ?? byDefault.keepDays,
    targets: {
      backupSeconds: targets.backup ?? byDefault.targets.backupSeconds,
      syncSeconds: targets.sync ?? byDefault.targets.syncSeconds,
      restoreSeconds: targets.restore ?? byDefault.targets.restoreSeconds,
      availability: targets.availability ?? byDefault.targets.availability,
      successRate: targets.successRate ?? byDefault.targets.successRate,
    },
  };
}

/** Whatever is to be mailed needs a server. */
function checkMail({ file, problem }: Around): void {
  if (!file || file.keysOf().includes("mail")) return;
  const message = "needs a mail server: add the section mail, such as mail: { host: smtp.example.org, from: … }.";
  for (const [name, { kind }] of Object.entries(file.content.alerts?.channels ?? {})) {
    if (kind === "email") problem(["alerts", "channels", name], message);
  }
  if ((file.content.reports?.to ?? []).length > 0) problem(["reports", "to"], message);
}

type Secrets = Readonly<Record<string, unknown>>;

/** Null: it is not there, and that was reported (a problem, or a warning on a machine that only reads). */
function needSecret(around: Around, at: readonly string[], section: Secrets, key: string, format: Format<string>) {
  const value = readSecret(around, at, section, key, format);
  if (value === LEFT_OUT) return null;
  const given = around.file?.keysOf(...at) ?? [];
  // One that is wrong is reported already.
  if (value === null && !given.includes(key) && !given.includes(`${key}Env`)) {
    around.problem([...at, key], `or ${key}Env must be set: it takes ${format.right}.`);
  }
  return value;
}

/** What `key` says, or the variable that `<key>Env` names; null where neither is set. */
function readSecret(
  around: Around,
  at: readonly string[],
  section: Secrets,
  key: string,
  format: Format<string>,
): string | null | typeof LEFT_OUT {
  const value = section[key];
  const variable = section[`${key}Env`];
  if (typeof value === "string" && typeof variable === "string") {
    around.problem([...at, key], `and ${key}Env are both set: keep one.`);
  }
  if (typeof value === "string") return value;
  if (typeof variable !== "string") return null;
  const text = around.env[variable] ?? "";
  if (text === "") {
    if (around.mayLackSecrets) {
      around.warnings.push(`${at.join(".")} is left out: ${shownVariable(variable)} is not set in the environment.`);
      return LEFT_OUT;
    }
    around.problem([...at, `${key}Env`], `names ${shownVariable(variable)}, which is not set in the environment.`);
    return null;
  }
  if (format.parse(text) !== null) return text;
  around.problem(
    [...at, `${key}Env`],
    `names ${shownVariable(variable)}, whose value (hidden) is wrong: expected ${format.right}.`,
  );
  return null;
}
