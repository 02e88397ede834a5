import { escapeHtml, writeUtc } from "@trivault/core";
import { headline, shorten } from "./text.ts";
import { TEXTS } from "./texts.ts";
import type { Shown } from "./types.ts";

/** https://core.telegram.org/bots/api#sendmessage: 4096 characters after entities are parsed. */
const TEXT = 2500;
const FACTS = 8;
const FACT = 100;

/** The body of `sendMessage`. */
export function telegramBody(message: Shown, chatId: string): object {
  const { facts, url, at, language } = message;
  const texts = TEXTS[language];
  const parts = [
    `<b>${escapeHtml(shorten(headline(message), 250))}</b>`,
    escapeHtml(shorten(message.text, TEXT)),
    facts
      .slice(0, FACTS)
      .map(
        ([name, value]) => `<b>${escapeHtml(shorten(name, 30))}</b>${texts.colon}${escapeHtml(shorten(value, FACT))}`,
      )
      .join("\n"),
    `${writeUtc(language, at)}${url === null ? "" : ` · <a href="${escapeHtml(url)}">${texts.openDashboard}</a>`}`,
  ];
  return {
    chat_id: chatId,
    text: parts.filter((part) => part !== "").join("\n\n"),
    parse_mode: "HTML",
    link_preview_options: { is_disabled: true },
    disable_notification: message.severity === "resolved" || message.severity === "info",
  };
}

/** Telegram says `{ ok: false }` with a status of its own; a proxy before it may not. */
export function telegramRefusal(answer: string): string | null {
  return /"ok"\s*:\s*true/.test(answer) ? null : "the answer is none of the Bot API";
}
