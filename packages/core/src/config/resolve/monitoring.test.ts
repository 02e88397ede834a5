import { chmod, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { DEFAULT_MONITORING } from "../model/monitoring-types.ts";
import { resolveConfig } from "./resolve.ts";
import { BASE, type ConfigFolder, makeConfigFolder } from "../testing/config-folder.ts";

let made: ConfigFolder;
beforeAll(async () => {
  made = await makeConfigFolder();
});
afterAll(() => made.remove());

const DATABASE = { DATABASE_URL: "postgresql://h/d" };

describe("mail, alerts and reports in the configuration file", () => {
  test("may be left out", async () => {
    expect((await made.resolve("timeZone: UTC", DATABASE)).monitoring).toEqual(DEFAULT_MONITORING);
  });

  test("are read, with secrets from the file or the environment", async () => {
    const { monitoring, warnings } = await made.resolve(
      `
timeZone: Europe/Paris
mail: { host: smtp.example.org, user: ann, passwordEnv: MAIL, from: "Trivault <b@example.org>" }
alerts:
  channels:
    mail: { kind: email, to: [a@example.org, b@example.org] }
    ops: { kind: slack, url: "https://hooks.slack.com/services/T/B/hunter2", from: critical }
    phone: { kind: ntfy, urlEnv: TOPIC, token: tk_hunter2 }
    chat: { kind: telegram, botTokenEnv: BOT, chatId: -1001234567890 }
    hook: { kind: webhook, url: "http://127.0.0.1:1/x", secret: hunter2hunter2hunter2 }
  deadMan: { url: "https://hc.example.org/x", every: 10m }
  language: fr
  repeat: 1h
  off: [size-unusual]
  thresholds: { copyLag: 2h, leastFree: 0.1, silent: 90s }
reports: { schedule: off, to: [a@example.org], language: fr, keepDays: 30, targets: { backup: 1m, successRate: 0.9 } }
`,
      { ...DATABASE, MAIL: "hunter2", TOPIC: "https://ntfy.sh/acme", BOT: "123456:hunter2hunter2" },
    );
    expect(warnings).toEqual([]);
    expect(monitoring).toEqual({
      mail: {
        host: "smtp.example.org",
        port: 587,
        security: "starttls",
        user: "ann",
        password: "hunter2",
        from: "Trivault <b@example.org>",
      },
      alerts: {
        channels: [
          { name: "mail", from: "warning", kind: "email", to: ["a@example.org", "b@example.org"] },
          { name: "ops", from: "critical", kind: "slack", url: "https://hooks.slack.com/services/T/B/hunter2" },
          { name: "phone", from: "warning", kind: "ntfy", url: "https://ntfy.sh/acme", token: "tk_hunter2" },
          {
            name: "chat",
            from: "warning",
            kind: "telegram",
            botToken: "123456:hunter2hunter2",
            chatId: "-1001234567890",
            apiUrl: "https://api.telegram.org",
          },
          {
            name: "hook",
            from: "warning",
            kind: "webhook",
            url: "http://127.0.0.1:1/x",
            secret: "hunter2hunter2hunter2",
          },
        ],
        language: "fr",
        deadMan: { url: "https://hc.example.org/x", everySeconds: 600 },
        repeatSeconds: 3600,
        off: ["size-unusual"],
        thresholds: {
          ...DEFAULT_MONITORING.alerts.thresholds,
          copyLagSeconds: 7200,
          leastFree: 0.1,
          silentSeconds: 90,
        },
      },
      reports: {
        schedule: null,
        to: ["a@example.org"],
        language: "fr",
        keepDays: 30,
        targets: { ...DEFAULT_MONITORING.reports.targets, backupSeconds: 60, successRate: 0.9 },
      },
    });
    const zoned = await made.resolve("timeZone: Europe/Paris\nreports: {}", DATABASE);
    expect(zoned.monitoring.reports.schedule).toEqual({ cron: "0 7 * * *", timeZone: "Europe/Paris" });
  });

  test("9.C20 a secret that would cross the network in clear is reported", async () => {
    const { warnings } = await made.resolve(
      `alerts:
  channels:
    here: { kind: webhook, url: "http://[::1]:1/hunter2" }
    far: { kind: ntfy, url: "http://ntfy.example.org/hunter2", token: hunter2 }
    bot: { kind: telegram, botToken: "123456:hunter2hunter2", chatId: 1, apiUrl: "http://10.0.0.7:8081" }
    safe: { kind: slack, url: "https://hooks.slack.com/hunter2" }
  deadMan: { url: "http://ping.example.org/hunter2" }
`,
      DATABASE,
    );
    const warned = warnings.filter((warning) => warning.includes("in clear"));
    expect(warned.map((warning) => warning.split(" in clear")[0])).toEqual([
      "alerts: far goes to ntfy.example.org",
      "alerts: bot goes to 10.0.0.7:8081",
      "alerts: deadMan goes to ping.example.org",
    ]);
    expect(warned.join()).not.toContain("hunter2");
  });

  test("have their mistakes reported at once, with line and remedy, and never a secret", async () => {
    const found = await made.problems(
      `mail: { host: smtp.example.org, port: 70000, user: ann, security: none, from: hunter }
alerts:
  channels:
    Ops: { kind: slack, url: "ftp://hunter2" }
    teams: { kind: teams }
    both: { kind: discord, url: "https://x/hunter2", urlEnv: SET }
    chat: { kind: telegram, botToken: hunter2, chatId: 1.5 }
    unset: { kind: webhook, urlEnv: UNSET }
    wrong: { kind: ntfy, urlEnv: WRONG }
    root: { kind: ntfy, url: "https://ntfy.sh" }
    short: { kind: webhook, url: "https://x/", secret: hunter2 }
    pigeon: { kind: pigeon }
    nobody: { kind: email, to: [ops, "a@b, c@d"] }
  deadman: {}
  off: [tier-unreachabel]
  thresholds: { leastFree: 5, copyLag: 10 }
  language: de
reports: { schedule: daily, language: de, targets: { successRate: 99 } }
`,
      { ...DATABASE, SET: "https://x/", WRONG: "hunter2" },
    );
    const start = (text: string) => expect.stringContaining(text);
    expect(found.toSorted()).toEqual([
      start("alerts.channels.Ops (line 4) is no name for a channel"),
      start("alerts.channels.Ops.url (line 4) is wrong (its value is hidden): expected a URL"),
      start("alerts.channels.both.url (line 6) and urlEnv are both set: keep one."),
      start("alerts.channels.chat.botToken (line 7) is wrong (its value is hidden): expected a bot's token"),
      start("alerts.channels.chat.chatId (line 7) is 1.5: expected a chat's number or @name"),
      start('alerts.channels.nobody.to[0] (line 13) is "ops": expected a mail address'),
      start('alerts.channels.nobody.to[1] (line 13) is "a@b, c@d": expected a mail address'),
      start('alerts.channels.pigeon.kind (line 12) is "pigeon": expected one of email, slack'),
      start("alerts.channels.root.url (line 10) names no topic (its value is hidden)"),
      start("alerts.channels.short.secret (line 11) is wrong (its value is hidden): expected a secret of at least 16"),
      start("alerts.channels.teams.url (line 5) or urlEnv must be set: it takes a URL"),
      start("alerts.channels.unset.urlEnv (line 8) names UNSET, which is not set in the environment."),
      start("alerts.channels.wrong.urlEnv (line 9) names WRONG, whose value (hidden) is wrong: expected a URL"),
      start("alerts.deadman (line 14) is not known here: did you mean deadMan?"),
      start('alerts.language (line 17) is "de": expected one of en, fr.'),
      start('alerts.off[0] (line 15) is "tier-unreachabel": expected one of run-failed'),
      start("alerts.thresholds.copyLag (line 16) is 10: expected a duration"),
      start("alerts.thresholds.leastFree (line 16) is 5: expected a number from 0 to 1."),
      start('mail.from (line 1) is "hunter": expected a mail address, or a name with one'),
      start("mail.port (line 1) is 70000"),
      start('reports.language (line 18) is "de": expected one of en, fr.'),
      start('reports.schedule (line 18) is "daily": expected a cron line'),
      start("reports.targets.successRate (line 18) is 99: expected a number from 0 to 1."),
    ]);
  });

  test.each([
    ["a user without a password", "mail: { host: h, user: ann, from: a@b }", /^mail\.password .*must be set/],
    ["a password without a user", "mail: { host: h, password: hunter2, from: a@b }", /^mail\.user .*must be set/],
    [
      "a password in clear",
      "mail: { host: h, user: ann, password: hunter2, security: none, from: a@b }",
      /^mail\.security .*in clear/,
    ],
    [
      "mail without a server",
      "alerts: { channels: { ops: { kind: email, to: [a@b] } } }",
      /^alerts\.channels\.ops .*needs a mail server/,
    ],
    ["a report without a server", "reports: { to: [a@b] }", /^reports\.to .*needs a mail server/],
    [
      "an empty list",
      "mail: { host: h, from: a@b }\nalerts: { channels: { ops: { kind: email, to: [] } } }",
      /to .*is empty/,
    ],
    ["a header smuggled in", 'mail: { host: h, from: "a <a@b>\\r\\nBcc: c@d" }', /^mail\.from/],
  ])("%s is refused", async (_, yaml, message) => {
    expect(await made.problems(yaml, DATABASE)).toEqual([expect.stringMatching(message)]);
  });

  test("take their port from what secures it, and warn of plaintext", async () => {
    const mail = async (rest: string) =>
      (await made.resolve(`mail: { host: h, from: a@b, ${rest} }`, DATABASE)).monitoring.mail;
    expect(await mail("port: 465")).toMatchObject({ security: "tls", port: 465 });
    expect(await mail("security: tls")).toMatchObject({ security: "tls", port: 465 });
    expect(await mail("port: 2525")).toMatchObject({ security: "starttls", port: 2525 });
    const plain = await made.resolve("mail: { host: relay, from: a@b, security: none }", DATABASE);
    expect(plain.monitoring.mail?.port).toBe(25);
    expect(plain.warnings).toEqual([expect.stringMatching(/mail to relay crosses the network in clear/)]);
  });

  test("on a machine that only reads may lack their secrets", async () => {
    const yaml = `mail: { host: h, user: a, passwordEnv: GONE, from: a@b }
alerts: { channels: { mail: { kind: email, to: [a@b] }, ops: { kind: slack, urlEnv: GONE } }, deadMan: { urlEnv: GONE } }`;
    const { monitoring, warnings } = await made.resolve(yaml, {}, "read");
    expect(monitoring).toMatchObject({ mail: null, alerts: { channels: [], deadMan: null } });
    expect(warnings).toEqual([
      expect.stringMatching(/^mail is left out: GONE is not set/),
      expect.stringMatching(/^alerts\.channels\.ops is left out/),
      expect.stringMatching(/^alerts\.deadMan is left out/),
    ]);
  });

  test.each([
    ["alerts: { channels: { ops: { kind: slack, url: 'https://x/y' } } }", true],
    ["alerts: { deadMan: { url: 'https://x/y' } }", true],
    ["mail: { host: h, user: a, password: hunter2, from: a@b }", true],
    ["mail: { host: h, from: a@b }", false],
  ])("that others may read are warned of where there is a secret: %s", async (yaml, warned) => {
    await writeFile(made.file, yaml);
    await chmod(made.file, 0o644);
    const around = { cwd: made.folder, home: "/", memoryDir: null };
    const { warnings } = resolveConfig({ ...BASE, ...DATABASE }, "backup", around);
    expect(warnings).toEqual(warned ? [expect.stringMatching(/holds secrets .*chmod 600/)] : []);
    await chmod(made.file, 0o600);
  });
});
