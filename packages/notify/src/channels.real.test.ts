import { afterAll, describe, expect, test } from "@jest/globals";
import { type ChannelConfig, DEFAULT_MONITORING, type MailConfig, type MonitoringConfig } from "@trivault/core";
import { expectNoLeaks, startReceiver } from "@trivault/testkit";
import { makeCertificate, startMailServer } from "@trivault/testkit/mail-server";
import {
  discordMessage,
  ntfyMessage,
  slackMessage,
  teamsMessage,
  telegramMessage,
  webhookMessage,
} from "../test/vendor-schemas.ts";
import { pingDeadMan } from "./dead-man.ts";
import { createMailer } from "./mailer.ts";
import { openChannels } from "./open-channels.ts";
import type { Message } from "./types.ts";
import { verifySignature } from "./webhook.ts";

afterAll(expectNoLeaks());

const NOW = new Date("2026-11-23T02:14:00Z");
const SECRET = "hunter2hunter2hunter2";
const MESSAGE: Message = {
  id: "m-1",
  severity: "warning",
  language: "en",
  title: "shop: no copy on cloud",
  text: "The newest copy is 5 h old.\n\nStill safe: local.",
  facts: [["Tier", "cloud"]],
  link: "/databases/shop",
  at: NOW,
  topic: "objective-missed/shop/cloud",
};
const signal = new AbortController().signal;
const options = { publicUrl: "https://backups.example.org", now: () => NOW, pausesMs: [1, 1] };
const base = { name: "ops", from: "warning" } as const;

function channelOf(channel: ChannelConfig, mail: MailConfig | null = null, more: object = {}) {
  const monitoring: MonitoringConfig = {
    ...DEFAULT_MONITORING,
    mail,
    alerts: { ...DEFAULT_MONITORING.alerts, channels: [channel] },
  };
  const [opened] = openChannels(monitoring, { ...options, ...more });
  if (!opened) throw new Error("no channel");
  return opened;
}

describe("over HTTP", () => {
  test.each([
    ["slack", slackMessage, "/services/T/B/hunter2"],
    ["discord", discordMessage, "/api/webhooks/1/hunter2"],
    ["teams", teamsMessage, "/workflows/hunter2"],
  ] as const)("%s takes a message", async (kind, schema, path) => {
    await using server = await startReceiver({ status: 200, body: "ok" });
    await channelOf({ ...base, kind, url: `${server.url}${path}` }).send(MESSAGE, signal);
    const [got] = server.received;
    expect(got).toMatchObject({ method: "POST", path, headers: { "content-type": "application/json" } });
    expect(schema.parse(JSON.parse(got?.body ?? ""))).toBeDefined();
    expect(got?.body).toContain("https://backups.example.org/databases/shop");
  });

  test("Telegram takes a message, and what is no answer of its Bot API is none", async () => {
    await using server = await startReceiver();
    const channel = channelOf({ ...base, kind: "telegram", botToken: "1:hunter2", chatId: "-5", apiUrl: server.url });
    await channel.send(MESSAGE, signal);
    expect(server.received[0]?.path).toBe("/bot1:hunter2/sendMessage");
    expect(telegramMessage.parse(JSON.parse(server.received[0]?.body ?? ""))).toMatchObject({ chat_id: "-5" });
    server.next.push({ status: 200, body: "<html>captive portal</html>" });
    await expect(channel.send(MESSAGE, signal)).rejects.toMatchObject({ code: "CHANNEL_FAILED", permanent: true });
  });

  test("ntfy takes a message with a token", async () => {
    await using server = await startReceiver();
    await channelOf({ ...base, kind: "ntfy", url: `${server.url}/acme`, token: "tk_hunter2" }).send(MESSAGE, signal);
    expect(server.received[0]).toMatchObject({ path: "/", headers: { authorization: "Bearer tk_hunter2" } });
    expect(ntfyMessage.parse(JSON.parse(server.received[0]?.body ?? ""))).toMatchObject({ topic: "acme", priority: 4 });
  });

  test("9.C22 what names and errors of strangers hold does nothing where a message is shown", async () => {
    await using server = await startReceiver({ status: 200, body: "ok" });
    const hostile = "shop\u001B[2J\u009B31m\r\u202E";
    const message = {
      ...MESSAGE,
      title: `${hostile}\nforged`,
      text: hostile,
      facts: [["Tier", `${hostile}\nx`]] as const,
    };
    for (const kind of ["slack", "discord", "teams", "webhook"] as const) {
      const channel = { ...base, kind, url: `${server.url}/x`, ...(kind === "webhook" ? { secret: null } : {}) };
      await channelOf(channel as ChannelConfig).send(message, signal);
    }
    expect(server.received).toHaveLength(4);
    for (const { body } of server.received) {
      expect(body).not.toMatch(/\\u00(?:1b|9b)|(?<!\\)\\(?:r|nforged)|[\u007F-\u009F\u202A-\u202E\u2066-\u2069]/i);
      expect(body).toContain("x1b");
    }
  });

  test("a webhook is signed, so that its receiver knows who sent it and when", async () => {
    await using server = await startReceiver();
    await channelOf({ ...base, kind: "webhook", url: `${server.url}/x`, secret: SECRET }).send(MESSAGE, signal);
    const [got] = server.received;
    const body = got?.body ?? "";
    expect(webhookMessage.parse(JSON.parse(body))).toMatchObject({ id: "m-1", topic: MESSAGE.topic });
    expect(got?.headers["x-trivault-delivery"]).toBe("m-1");
    const signature = String(got?.headers["x-trivault-signature"]);
    expect(verifySignature(signature, body, SECRET, NOW)).toBe(true);
    expect(verifySignature(signature, `${body} `, SECRET, NOW)).toBe(false);
    expect(verifySignature(signature, body, "another secret!!", NOW)).toBe(false);
    expect(verifySignature(signature, body, SECRET, new Date(NOW.getTime() + 600_000))).toBe(false);
    expect(verifySignature("t=1,v1=00", body, SECRET, NOW)).toBe(false);
    expect(verifySignature("", body, SECRET, NOW)).toBe(false);
  });

  test("what may pass is tried again; what will not is reported at once", async () => {
    await using server = await startReceiver();
    const channel = channelOf({ ...base, kind: "slack", url: `${server.url}/services/hunter2secret` });
    server.next.push({ status: 429, headers: { "retry-after": "0" } }, { status: 503 });
    await channel.send(MESSAGE, signal);
    expect(server.received.length).toBe(3);
    server.next.push({ status: 404, body: "no_service /services/hunter2secret" });
    const error: unknown = await channel.send(MESSAGE, signal).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "CHANNEL_FAILED", permanent: true });
    expect(String(error)).toMatch(/Slack \(ops\) answered 404 \(no_service .*make a new URL/);
    expect(String(error)).not.toContain("hunter2");
    expect(server.received.length).toBe(4);
    server.next.push({ status: 500 }, { status: 500 }, { status: 500 });
    await expect(channel.send(MESSAGE, signal)).rejects.toMatchObject({ permanent: false });
    server.next.push({ status: 429, headers: { "retry-after": "3600" } });
    await expect(channel.send(MESSAGE, signal)).rejects.toThrow(/answered 429.*sent again later/);
    expect(server.received.length).toBe(8);
    server.next.push({ status: 302, headers: { location: `${server.url}/elsewhere` } });
    await expect(channel.send(MESSAGE, signal)).rejects.toThrow(/redirects, which is not followed/);
    expect(server.received.some(({ path }) => path === "/elsewhere")).toBe(false);
  });

  test("a server that is not there is reported without the URL", async () => {
    const server = await startReceiver();
    await server[Symbol.asyncDispose]();
    const channel = channelOf({ ...base, kind: "discord", url: `${server.url}/api/webhooks/1/hunter2` });
    const error: unknown = await channel.send(MESSAGE, signal).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "CHANNEL_FAILED", permanent: false });
    expect(String(error)).toMatch(/cannot be reached: .*ECONNREFUSED/);
    expect(String(error)).not.toContain("hunter2");
    const odd = channelOf({ ...base, kind: "slack", url: "file:///etc/passwd" });
    await expect(odd.send(MESSAGE, signal)).rejects.toThrow(/no http or https URL/);
  });

  test("the dead man's switch gets good and bad", async () => {
    await using server = await startReceiver({ status: 200, body: "OK" });
    await pingDeadMan(`${server.url}/uuid-1?rid=5`, null, { signal });
    await pingDeadMan(`${server.url}/uuid-1?rid=5`, "shop is not safe", { signal });
    expect(server.received).toMatchObject([
      { method: "POST", path: "/uuid-1?rid=5" },
      { method: "POST", path: "/uuid-1/fail?rid=5", body: "shop is not safe" },
    ]);
  });
});

/** Subject and texts, decoded, with spaces that break. */
function readMail(raw: string): { subject: string; parts: string[] } {
  const unquoted = (text: string) =>
    Buffer.from(
      text
        .replaceAll(/=\r?\n/g, "")
        .replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16))),
      "latin1",
    ).toString();
  const plain = (text: string) => text.replaceAll(/[\u00A0\u202F]/g, " ");
  const subject = /^Subject: (.*(?:\r?\n[ \t].*)*)/m.exec(raw)?.[1] ?? "";
  const decoded = subject
    .replaceAll(/\?=\s+=\?/g, "?==?")
    .replaceAll(/=\?UTF-8\?([BQ])\?(.*?)\?=/gi, (_, how: string, text: string) =>
      how.toUpperCase() === "B" ? Buffer.from(text, "base64").toString() : unquoted(text.replaceAll("_", " ")),
    );
  const parts = raw
    .split(`--${/boundary="([^"]+)"/.exec(raw)?.[1]}`)
    .filter((part) => /^Content-Type: text\//m.test(part));
  const bodies = parts.map((part) => {
    const [head = "", ...rest] = part.trimStart().split(/\r?\n\r?\n/);
    const body = rest.join("\n\n");
    return plain(/base64/i.test(head) ? Buffer.from(body, "base64").toString() : unquoted(body));
  });
  return { subject: plain(decoded), parts: bodies };
}

describe("by mail", () => {
  const config = (port: number, more: Partial<MailConfig> = {}): MailConfig => ({
    host: "127.0.0.1",
    port,
    security: "starttls",
    user: "ann",
    password: "hunter2",
    from: "Trivault <backup@example.org>",
    ...more,
  });
  const to = { ...base, kind: "email", to: ["ops@example.org", "boss@example.org"] } as const;

  test.each(["starttls", "tls"] as const)(
    "a message arrives in text and HTML, by %s and with a login",
    async (security) => {
      await using server = await startMailServer({ secure: security === "tls" });
      const { port, ca } = server;
      await channelOf(to, config(port, { security }), { ca }).send(MESSAGE, signal);
      const [mail] = server.received;
      expect(mail).toMatchObject({ from: "backup@example.org", to: to.to, secure: true, user: "ann" });
      const raw = mail?.raw ?? "";
      for (const part of [
        /^Subject: Warning: shop: no copy on cloud/m,
        /^Message-ID: <[0-9a-f]{32}@example\.org>/m,
        /^References: <[0-9a-f]{32}@example\.org>/m,
        /^Auto-Submitted: auto-generated/m,
        /multipart\/alternative/,
        /text\/plain; charset=utf-8/,
        /text\/html; charset=utf-8/,
        /https:\/\/backups\.example\.org\/databases\/shop/,
      ]) {
        expect(raw).toMatch(part);
      }
    },
  );

  test("a French message is French in all its parts", async () => {
    await using server = await startMailServer();
    const french: Message = {
      ...MESSAGE,
      language: "fr",
      title: "shop n’a aucune copie assez récente sur cloud",
      text: "À faire\u00A0: testez le niveau.",
      facts: [["Niveau", "cloud"]],
    };
    await channelOf(to, config(server.port), { ca: server.ca }).send(french, signal);
    const { subject, parts } = readMail(server.received[0]?.raw ?? "");
    expect(subject).toBe("Avertissement : shop n’a aucune copie assez récente sur cloud");
    const [text = "", html = ""] = parts;
    expect(text).toMatch(/Niveau : cloud[^]*Tableau de bord : https:[^]*Trivault, le 23 nov\. 2026 à 02:14 UTC/);
    expect(html).toMatch(/<html lang="fr">[^]*Ouvrir le tableau de bord/);
    expect(text + html).not.toMatch(/Warning|Dashboard|Open the|2026-11-23/);
  });

  test("a mail with an attachment keeps its id from one attempt to the next", async () => {
    await using server = await startMailServer();
    const mailer = createMailer(config(server.port), { ca: server.ca });
    const mail = {
      to: ["a@example.org"],
      subject: "Report\r\nBcc: x@example.org",
      text: "t",
      html: "<p>é</p>",
      id: "report-1",
      attachments: [{ name: "report.json", type: "application/json", content: Buffer.from("{}") }],
    };
    await mailer.send(mail, signal);
    await mailer.send(mail, signal);
    await mailer.close();
    const ids = server.received.map(({ raw }) => /^Message-ID: (.*)$/m.exec(raw)?.[1]);
    expect(new Set(ids).size).toBe(1);
    expect(server.received[0]?.raw).toContain("filename=report.json");
    expect(server.received[0]?.raw).not.toMatch(/^Bcc:/m);
    expect(server.received[0]?.to).toEqual(["a@example.org"]);
  });

  test("a server that is not to be trusted, or without TLS, gets neither login nor mail", async () => {
    await using server = await startMailServer();
    const untrusted = channelOf(to, config(server.port));
    await expect(untrusted.send(MESSAGE, signal)).rejects.toThrow(/mail\.security.*certificate/);
    const { cert } = await makeCertificate();
    await expect(channelOf(to, config(server.port), { ca: cert }).send(MESSAGE, signal)).rejects.toThrow(
      /did not take/,
    );
    await using plain = await startMailServer({ hideSTARTTLS: true, disabledCommands: ["STARTTLS"] });
    await expect(channelOf(to, config(plain.port), { ca: plain.ca }).send(MESSAGE, signal)).rejects.toMatchObject({
      code: "CHANNEL_FAILED",
    });
    expect([...server.received, ...plain.received]).toEqual([]);
  });

  test("greylisting is waited out; a wrong login, or an address that is refused, is reported once", async () => {
    await using server = await startMailServer();
    const { port, ca } = server;
    server.refusals.push(451, 421);
    await channelOf(to, config(port), { ca }).send(MESSAGE, signal);
    expect(server.received.length).toBe(1);
    const wrong: unknown = await channelOf(to, config(port, { password: "hunter3" }), { ca })
      .send(MESSAGE, signal)
      .catch((thrown: unknown) => thrown);
    expect(wrong).toMatchObject({ code: "CHANNEL_FAILED", permanent: true });
    expect(String(wrong)).toMatch(/does not accept the login/);
    expect(String(wrong)).not.toContain("hunter3");
    const some = channelOf({ ...to, to: ["ops@example.org", "nobody@example.org"] }, config(port), { ca });
    await expect(some.send(MESSAGE, signal)).rejects.toThrow(/refused 1 of 2 addresses/);
  });

  test("a mail that is called off, and a server that is not there, come to an end", async () => {
    const server = await startMailServer();
    await server[Symbol.asyncDispose]();
    await expect(channelOf(to, config(server.port)).send(MESSAGE, signal)).rejects.toThrow(/ECONNREFUSED/);
    await expect(channelOf(to, config(server.port)).send(MESSAGE, AbortSignal.abort())).rejects.toThrow();
  });
});
