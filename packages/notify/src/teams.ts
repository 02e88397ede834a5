import { headline, paragraphs, shorten } from "./text.ts";
import { TEXTS } from "./texts.ts";
import type { Shown } from "./types.ts";

/** A message may have 28 KB. */
const PARAGRAPHS = 6;
const PARAGRAPH = 1500;
const FACTS = 10;
const FACT = 300;

const COLOR = { critical: "Attention", warning: "Warning", resolved: "Good", info: "Accent" } as const;

/** Text runs know no Markdown, so nothing need be escaped. */
const rich = (...inlines: readonly object[]) => ({ type: "RichTextBlock", inlines });
const run = (text: string, rest: object = {}) => ({ type: "TextRun", text, ...rest });

/**
 * An Adaptive Card in the envelope that Teams' workflow "Post to a channel when a webhook request is received" takes. The
 * connectors of Office 365 and their MessageCards are retired.
 */
export function teamsBody(message: Shown): object {
  const { facts, url, at, severity } = message;
  const texts = TEXTS[message.language];
  return {
    type: "message",
    attachments: [
      {
        contentType: "application/vnd.microsoft.card.adaptive",
        contentUrl: null,
        content: {
          $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
          type: "AdaptiveCard",
          version: "1.4",
          msteams: { width: "Full" },
          body: [
            rich(run(shorten(headline(message), 250), { size: "Large", weight: "Bolder", color: COLOR[severity] })),
            ...paragraphs(message.text)
              .slice(0, PARAGRAPHS)
              .map((text) => rich(run(shorten(text, PARAGRAPH)))),
            ...facts
              .slice(0, FACTS)
              .map(([name, value]) =>
                rich(run(`${shorten(name, 80)}${texts.colon}`, { weight: "Bolder" }), run(shorten(value, FACT))),
              ),
            rich(run(texts.foot(at), { size: "Small", isSubtle: true })),
          ],
          ...(url === null ? {} : { actions: [{ type: "Action.OpenUrl", title: texts.openDashboard, url }] }),
        },
      },
    ],
  };
}
