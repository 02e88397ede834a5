import { COLORS, headline, shorten } from "./text.ts";
import type { Shown } from "./types.ts";

/** https://discord.com/developers/docs/resources/message#embed-object-embed-limits: 6000 characters in one message. */
const TITLE = 256;
const DESCRIPTION = 3500;
const FIELDS = 10;
const FIELD = 150;

/** So that what somebody named a database is no markup, mention or link. */
const escape = (text: string) => text.replaceAll(/[\\*_~`|>#[\]()<@-]/g, "\\$&");

function escaped(text: string, most: number): string {
  let plain = shorten(text, most);
  while (escape(plain).length > most)
    plain = shorten(plain, plain.length - 1 - Math.ceil((escape(plain).length - most) / 2));
  return escape(plain);
}

/** The body of a webhook's execution. */
export function discordBody(message: Shown): object {
  const { text, facts, url, at, severity } = message;
  return {
    username: "Trivault",
    allowed_mentions: { parse: [] },
    embeds: [
      {
        title: shorten(escaped(headline(message), TITLE), TITLE),
        description: escaped(text, DESCRIPTION),
        ...(url === null ? {} : { url }),
        color: COLORS[severity],
        timestamp: at.toISOString(),
        fields: facts
          .slice(0, FIELDS)
          .filter(([name, value]) => name.trim() !== "" && value.trim() !== "")
          .map(([name, value]) => ({ name: escaped(name, 60), value: escaped(value, FIELD), inline: true })),
      },
    ],
  };
}
