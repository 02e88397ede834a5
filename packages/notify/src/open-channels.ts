import {
  type ChannelConfig,
  isPermanent,
  type MonitoringConfig,
  visibleLine,
  visibleStrings,
  visibleText,
} from "@trivault/core";
import { setTimeout as sleep } from "node:timers/promises";
import { discordBody } from "./discord.ts";
import { createMailer, type Mailer } from "./mailer.ts";
import { messageMail } from "./message-mail.ts";
import { ntfyBody, ntfyServer } from "./ntfy.ts";
import { PAUSES_MS, post, type Request } from "./post.ts";
import { slackBody } from "./slack.ts";
import { teamsBody } from "./teams.ts";
import { telegramBody, telegramRefusal } from "./telegram.ts";
import type { Channel, Message, Shown } from "./types.ts";
import { signBody, webhookBody } from "./webhook.ts";

export interface ChannelOptions {
  /** Where people reach the dashboard; null: messages have no links. */
  readonly publicUrl: string | null;
  readonly now?: () => Date;
  /** Between attempts. */
  readonly pausesMs?: readonly number[];
  /** For the mail server; for tests. */
  readonly ca?: string;
}

/** What `alerts.channels` names, ready to be sent to. Nothing is connected before the first message. */
export function openChannels({ mail, alerts }: MonitoringConfig, options: ChannelOptions): Channel[] {
  const mailer = mail === null ? null : createMailer(mail, options.ca === undefined ? {} : { ca: options.ca });
  return alerts.channels.map((channel) => {
    const { name, kind, from } = channel;
    const send = channel.kind === "email" ? bySmtp(channel, mailer, options) : byHttp(channel, options);
    return {
      name,
      kind,
      from,
      send: (message, signal) => send(shownAs(message, options.publicUrl), signal),
      close: async () => {
        await mailer?.close();
      },
    };
  });
}

type Send = (message: Shown, signal: AbortSignal) => Promise<void>;

function bySmtp(channel: ChannelConfig & { kind: "email" }, mailer: Mailer | null, options: ChannelOptions): Send {
  const pausesMs = options.pausesMs ?? PAUSES_MS;
  return async (message, signal) => {
    // The configuration holds no such channel without `mail`.
    if (mailer === null) throw new Error(`channel ${channel.name} has no mail server`);
    for (let attempt = 0; ; attempt++) {
      try {
        return await mailer.send(messageMail(message, channel.to), signal);
      } catch (error) {
        const pause = pausesMs[attempt];
        if (pause === undefined || isPermanent(error) || signal.aborted) throw error;
        await sleep(pause, undefined, { signal });
      }
    }
  };
}

function byHttp(channel: Exclude<ChannelConfig, { kind: "email" }>, options: ChannelOptions): Send {
  const { pausesMs = PAUSES_MS, now = () => new Date() } = options;
  return (message, signal) => post(requestOf(channel, message, now()), { signal, pausesMs });
}

const VENDORS = {
  slack: ["Slack", slackBody],
  discord: ["Discord", discordBody],
  teams: ["Teams", teamsBody],
} as const;

function requestOf(channel: Exclude<ChannelConfig, { kind: "email" }>, message: Shown, now: Date): Request {
  const { name } = channel;
  const headers = { "content-type": "application/json" };
  if (channel.kind === "slack" || channel.kind === "discord" || channel.kind === "teams") {
    const [vendor, bodyOf] = VENDORS[channel.kind];
    return { to: `${vendor} (${name})`, url: channel.url, body: JSON.stringify(bodyOf(message)), headers };
  }
  if (channel.kind === "telegram") {
    return {
      to: `Telegram (${name})`,
      url: `${channel.apiUrl}/bot${channel.botToken}/sendMessage`,
      body: JSON.stringify(telegramBody(message, channel.chatId)),
      headers,
      secrets: [channel.botToken],
      refusal: telegramRefusal,
    };
  }
  if (channel.kind === "ntfy") {
    const { url, token } = channel;
    return {
      to: `ntfy (${name})`,
      url: ntfyServer(url),
      body: JSON.stringify(ntfyBody(message, url)),
      headers: { ...headers, ...(token === null ? {} : { authorization: `Bearer ${token}` }) },
      secrets: [url, ...(token === null ? [] : [token])],
    };
  }
  const body = JSON.stringify(webhookBody(message));
  const { url, secret } = channel;
  return {
    to: `The webhook ${name}`,
    url,
    body,
    headers: {
      ...headers,
      "x-trivault-delivery": message.id,
      ...(secret === null ? {} : { "x-trivault-signature": signBody(body, secret, now) }),
    },
    secrets: secret === null ? [] : [secret],
  };
}

/** Names and errors of strangers are shown as they are, and do nothing, whatever the channel makes of the text. */
function shownAs({ link, title, text, facts, ...message }: Message, publicUrl: string | null): Shown {
  const shown = { title: visibleLine(title), text: visibleText(text), facts: visibleStrings(facts) };
  return { ...message, ...shown, url: link === null || publicUrl === null ? null : `${publicUrl}${link}` };
}
