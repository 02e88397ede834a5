import { z } from "zod";
import { listOf, number, oneOf, section, text, whole } from "./parts.ts";
import { LANGUAGES } from "../../language.ts";
import { FORMATS } from "../text/formats.ts";
import { ALERT_RULES } from "../model/monitoring-types.ts";

/** The sections `mail`, `alerts` and `reports` of `trivault.config.yaml`. */

const variable = (what: string, other: string) =>
  text(FORMATS.variable, `The environment variable that holds ${what}; this or ${other}.`).optional();
const address = text(FORMATS.mailAddress, "A mail address.");

export const mail = section(
  {
    host: text(FORMATS.host, "The SMTP server's name or address."),
    port: whole(1, 65_535, "By default 587 with starttls, 465 with tls, 25 with none.").optional(),
    security: oneOf(
      ["tls", "starttls", "none"],
      "`starttls` (default): required before the login; `tls`: from the first byte (default on port 465); `none`: plaintext, for a server on this machine.",
    ).optional(),
    user: text(FORMATS.line, "The login, where the server wants one.").optional(),
    password: text(FORMATS.line, "Its password; this or passwordEnv. Keep the file 0600.").optional(),
    passwordEnv: variable("the password", "password"),
    from: text(FORMATS.mailbox, "The sender, such as Trivault <backup@example.org>."),
  },
  "The SMTP server that mail is handed to.",
);

const from = oneOf(
  ["warning", "critical"],
  "The least severity that is sent there; `warning` (default) sends all.",
).optional();
const url = (what: string) => ({
  url: text(FORMATS.webUrl, `${what}; this or urlEnv. It is a secret: keep the file 0600.`).optional(),
  urlEnv: variable("the URL", "url"),
});

const channel = z.discriminatedUnion(
  "kind",
  [
    section(
      { kind: z.literal("email"), to: listOf(address, "mail addresses", "Who gets the mail."), from },
      "Mail, by the server of the section mail.",
    ),
    section(
      { kind: z.literal("slack"), ...url("The URL of an incoming webhook"), from },
      "A Slack channel, by an incoming webhook.",
    ),
    section(
      { kind: z.literal("discord"), ...url("The URL of a channel's webhook"), from },
      "A Discord channel, by its webhook.",
    ),
    section(
      { kind: z.literal("teams"), ...url("The URL of a Workflows webhook"), from },
      "A Microsoft Teams channel, by the workflow “Post to a channel when a webhook request is received”.",
    ),
    section(
      {
        kind: z.literal("telegram"),
        botToken: text(FORMATS.botToken, "The bot's token; this or botTokenEnv. Keep the file 0600.").optional(),
        botTokenEnv: variable("the bot's token", "botToken"),
        chatId: z
          .union([z.string().regex(/^(?:-?\d{1,20}|@\w{3,64})$/), z.int()], {
            error: "expected a chat's number or @name, such as -1001234567890",
          })
          .transform(String)
          .describe("The chat that the bot writes to."),
        apiUrl: text(FORMATS.webUrl, "A Bot API server of your own; https://api.telegram.org by default.").optional(),
        from,
      },
      "A Telegram chat, by a bot.",
    ),
    section(
      {
        kind: z.literal("ntfy"),
        ...url("The topic's URL, such as https://ntfy.sh/acme-backups"),
        token: text(FORMATS.line, "An access token; this or tokenEnv. Keep the file 0600.").optional(),
        tokenEnv: variable("the access token", "token"),
        from,
      },
      "A topic on ntfy.sh or an ntfy server of your own.",
    ),
    section(
      {
        kind: z.literal("webhook"),
        ...url("Where the JSON is posted to"),
        secret: text(
          FORMATS.signingSecret,
          "What it is signed with; this or secretEnv. Keep the file 0600.",
        ).optional(),
        secretEnv: variable("the secret", "secret"),
        from,
      },
      "Any program that takes JSON; signed where there is a secret.",
    ),
  ],
  {
    error: (issue) =>
      issue.code === "invalid_union"
        ? "expected one of email, slack, discord, teams, telegram, ntfy, webhook"
        : "expected a channel, such as { kind: slack, urlEnv: SLACK_URL }",
  },
);

export const alerts = section(
  {
    channels: z
      .record(z.string(), channel, { error: "expected a map from names to channels" })
      .describe("Where alerts are sent, by name.")
      .optional(),
    language: oneOf(LANGUAGES, "The language of what is sent through channels; en by default.").optional(),
    deadMan: section(
      {
        ...url("A check's URL, as healthchecks.io and its like give it"),
        every: text(FORMATS.objective, "How often it is called; 5m by default.").optional(),
      },
      "A URL that is called while everything is healthy, so that silence raises the alarm elsewhere.",
    ).optional(),
    repeat: text(FORMATS.objective, "An alert that lasts is sent again after this; 4h by default.").optional(),
    off: listOf(
      oneOf(ALERT_RULES, "A rule."),
      `rules: ${ALERT_RULES.join(", ")}`,
      "Rules that are switched off.",
    ).optional(),
    thresholds: section(
      {
        copyLag: text(
          FORMATS.objective,
          "A copy that is not there so long after its backup; 1h by default.",
        ).optional(),
        fullIn: text(FORMATS.objective, "A tier that will be full in less; 7d by default.").optional(),
        leastFree: number(
          0,
          1,
          "An alert fires for a tier with a smaller share free, whatever its growth; 0.05 by default.",
        ).optional(),
        sizeFactor: number(
          1.05,
          1000,
          "A backup so many times larger or smaller than those before it; 2 by default.",
        ).optional(),
        clockDrift: text(FORMATS.seconds, "Clocks that differ by more; 30s by default.").optional(),
        expiresIn: text(FORMATS.objective, "Certificates and tokens that expire in less; 14d by default.").optional(),
        silent: text(
          FORMATS.objective,
          "A queue without a worker, or a scheduler not heard of, for so long; 2m by default.",
        ).optional(),
      },
      "From when on an alert fires.",
    ).optional(),
  },
  "What is reported when something is wrong, and to whom.",
);

const share = (description: string) => number(0, 1, description).optional();

export const reports = section(
  {
    schedule: text(FORMATS.schedule, 'A cron line; "0 7 * * *" by default. off: only on demand.').optional(),
    timeZone: text(FORMATS.timeZone, "Time zone of the schedule and of its days; the site's by default.").optional(),
    to: listOf(address, "mail addresses", "Who gets them by mail; nobody by default.").optional(),
    language: oneOf(LANGUAGES, "en by default.").optional(),
    keepDays: whole(1, 36_500, "How long they stay in BACKUP_DIR; 400 by default.").optional(),
    targets: section(
      {
        backup: text(FORMATS.seconds, "How long a backup may take; 5m by default.").optional(),
        sync: text(FORMATS.seconds, "How long a copy may take; 10m by default.").optional(),
        restore: text(FORMATS.seconds, "How long a restore may take; 30m by default.").optional(),
        availability: share("Share of the time in which each objective was met; 0.9999 by default."),
        successRate: share("Share of the runs that succeeded; 0.999 by default."),
      },
      "What durations and rates are measured against.",
    ).optional(),
  },
  "Daily reports: kept in BACKUP_DIR, and mailed.",
);

export type FileMail = z.output<typeof mail>;
export type FileChannel = z.output<typeof channel>;
export type FileAlerts = z.output<typeof alerts>;
export type FileReports = z.output<typeof reports>;
