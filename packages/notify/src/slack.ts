import { headline, paragraphs, shorten } from "./text.ts";
import { TEXTS } from "./texts.ts";
import type { Shown } from "./types.ts";

/** https://docs.slack.dev/reference/block-kit/blocks; Slack refuses more than about 13,000 characters altogether. */
const HEADER = 150;
const SECTION = 3000;
const SECTIONS = 3;
const FIELDS = 10;
const FIELD = 400;

const escape = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
/** `verbatim`: no channel or person named in it is called. */
const mrkdwn = (text: string) => ({ type: "mrkdwn", text, verbatim: true }) as const;

/** Slack counts what is escaped, and an escape that is cut would show. */
function escaped(text: string, most: number): string {
  let plain = shorten(text, most);
  while (escape(plain).length > most)
    plain = shorten(plain, plain.length - Math.ceil((escape(plain).length - most) / 5) - 1);
  return escape(plain);
}

/** The body of an incoming webhook. */
export function slackBody(message: Shown): object {
  const { facts, url, at } = message;
  const texts = TEXTS[message.language];
  const sections = paragraphs(message.text)
    .slice(0, SECTIONS)
    .map((text) => ({ type: "section", text: mrkdwn(escaped(text, SECTION)) }));
  const fields = facts
    .slice(0, FIELDS)
    .map(([name, value]) => mrkdwn(`*${escaped(name, 80)}*\n${escaped(value, FIELD)}`));
  const foot = [texts.foot(at), ...(url === null ? [] : [`<${escape(url)}|${texts.openDashboard}>`])].join("  ·  ");
  return {
    // What notifications show.
    text: escaped(headline(message), 1000),
    unfurl_links: false,
    blocks: [
      { type: "header", text: { type: "plain_text", text: shorten(headline(message), HEADER), emoji: false } },
      ...sections,
      ...(fields.length > 0 ? [{ type: "section", fields }] : []),
      { type: "context", elements: [mrkdwn(foot)] },
    ],
  };
}
