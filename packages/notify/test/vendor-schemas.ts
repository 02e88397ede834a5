import { z } from "zod";

/** What each vendor documents of the requests that it takes: form, required fields, and limits. Sources as of 2026. */

const mrkdwn = (most: number) =>
  z.strictObject({ type: z.literal("mrkdwn"), text: z.string().min(1).max(most), verbatim: z.boolean().optional() });
const plainText = (most: number) =>
  z.strictObject({ type: z.literal("plain_text"), text: z.string().min(1).max(most), emoji: z.boolean().optional() });

/**
 * https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks and
 * https://docs.slack.dev/reference/block-kit/blocks (header-block, section-block, context-block): at most 50 blocks. That
 * more than about 13,000 characters altogether are refused (msg_blocks_too_long) is described in slackapi/bolt-js#2509.
 */
export const slackMessage = z
  .strictObject({
    text: z.string().min(1).max(40_000),
    unfurl_links: z.boolean().optional(),
    blocks: z
      .array(
        z.discriminatedUnion("type", [
          z.strictObject({ type: z.literal("header"), text: plainText(150) }),
          z
            .strictObject({
              type: z.literal("section"),
              text: z.union([mrkdwn(3000), plainText(3000)]).optional(),
              fields: z
                .array(z.union([mrkdwn(2000), plainText(2000)]))
                .min(1)
                .max(10)
                .optional(),
            })
            .refine(({ text, fields }) => text !== undefined || fields !== undefined),
          z.strictObject({ type: z.literal("context"), elements: z.array(mrkdwn(2000)).min(1).max(10) }),
        ]),
      )
      .min(1)
      .max(50),
  })
  .refine(({ blocks }) => JSON.stringify(blocks).length <= 16_000 && lengthOfTexts(blocks) <= 13_000);

/**
 * https://discord.com/developers/docs/resources/webhook#execute-webhook and
 * https://discord.com/developers/docs/resources/message#embed-object-embed-limits: lengths count without white space at the
 * ends; 6000 characters in all embeds together.
 */
const trimmed = (least: number, most: number) =>
  z.string().refine((text) => text.trim().length >= least && text.trim().length <= most);
export const discordMessage = z
  .strictObject({
    username: trimmed(1, 80).refine((name) => !/discord|clyde/i.test(name)),
    allowed_mentions: z.strictObject({ parse: z.array(z.enum(["roles", "users", "everyone"])) }),
    embeds: z
      .array(
        z.strictObject({
          title: trimmed(1, 256),
          description: trimmed(1, 4096),
          url: z.url().optional(),
          color: z.int().min(0).max(0xff_ff_ff),
          timestamp: z.iso.datetime(),
          fields: z
            .array(z.strictObject({ name: trimmed(1, 256), value: trimmed(1, 1024), inline: z.boolean().optional() }))
            .max(25),
        }),
      )
      .min(1)
      .max(10),
  })
  .refine(
    ({ embeds }) =>
      embeds.reduce(
        (sum, { title, description, fields }) =>
          sum + title.length + description.length + fields.reduce((all, f) => all + f.name.length + f.value.length, 0),
        0,
      ) <= 6000,
  );

/**
 * https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook (the envelope, 28 KB)
 * and https://adaptivecards.io/schemas/adaptive-card.json 1.4 (AdaptiveCard, RichTextBlock, TextRun, Action.OpenUrl).
 */
const textRun = z.strictObject({
  type: z.literal("TextRun"),
  text: z.string(),
  size: z.enum(["Default", "Small", "Medium", "Large", "ExtraLarge"]).optional(),
  weight: z.enum(["Lighter", "Default", "Bolder"]).optional(),
  color: z.enum(["Default", "Dark", "Light", "Accent", "Good", "Warning", "Attention"]).optional(),
  isSubtle: z.boolean().optional(),
});
export const teamsMessage = z
  .strictObject({
    type: z.literal("message"),
    attachments: z
      .array(
        z.strictObject({
          contentType: z.literal("application/vnd.microsoft.card.adaptive"),
          contentUrl: z.null(),
          content: z.strictObject({
            $schema: z.literal("http://adaptivecards.io/schemas/adaptive-card.json"),
            type: z.literal("AdaptiveCard"),
            version: z.enum(["1.0", "1.1", "1.2", "1.3", "1.4", "1.5"]),
            msteams: z.strictObject({ width: z.literal("Full") }).optional(),
            body: z
              .array(z.strictObject({ type: z.literal("RichTextBlock"), inlines: z.array(textRun).min(1) }))
              .min(1),
            actions: z
              .array(z.strictObject({ type: z.literal("Action.OpenUrl"), title: z.string(), url: z.url() }))
              .max(6)
              .optional(),
          }),
        }),
      )
      .length(1),
  })
  .refine((message) => Buffer.byteLength(JSON.stringify(message)) <= 28 * 1024);

/** https://core.telegram.org/bots/api#sendmessage: 1 to 4096 characters after entities parsing; only some tags, well nested. */
export const telegramMessage = z.strictObject({
  chat_id: z.union([z.int(), z.string().regex(/^(?:-?\d+|@\w+)$/)]),
  text: z.string().refine((html) => {
    if (/<(?!\/?(?:b|i|u|s|code|pre|blockquote)>|a href="[^"<>]*">|\/a>)/.test(html)) return false;
    if (/&(?!lt;|gt;|amp;|quot;|#\d+;)/.test(html)) return false;
    const text = html.replaceAll(/<[^>]+>/g, "").replaceAll(/&[^;]+;/g, "x");
    return text.trim().length >= 1 && text.length <= 4096;
  }),
  parse_mode: z.enum(["HTML", "MarkdownV2", "Markdown"]).optional(),
  link_preview_options: z.strictObject({ is_disabled: z.boolean() }).optional(),
  disable_notification: z.boolean().optional(),
});

/**
 * https://docs.ntfy.sh/publish/#publish-as-json: posted to the server's address and not the topic's; a message of more than
 * 4096 bytes becomes an attachment, and the JSON may have twice that.
 */
export const ntfyMessage = z
  .strictObject({
    topic: z.string().regex(/^[-_A-Za-z0-9]{1,64}$/),
    message: z
      .string()
      .min(1)
      .refine((text) => Buffer.byteLength(text) <= 4096),
    title: z.string().regex(/^[^\r\n]+$/),
    tags: z.array(z.string().min(1)),
    priority: z.int().min(1).max(5),
    click: z.url().optional(),
  })
  .refine((message) => Buffer.byteLength(JSON.stringify(message)) <= 8192);

/** Ours: docs/alerts.md. */
export const webhookMessage = z.strictObject({
  version: z.literal(1),
  id: z.string().min(1),
  topic: z.string().min(1),
  severity: z.enum(["warning", "critical", "resolved", "info"]),
  title: z.string(),
  text: z.string(),
  facts: z.record(z.string(), z.string()),
  url: z.url().nullable(),
  at: z.iso.datetime(),
});

function lengthOfTexts(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  return Object.entries(value).reduce(
    (sum, [key, each]) => sum + (key === "text" && typeof each === "string" ? each.length : lengthOfTexts(each)),
    0,
  );
}
