import { factLine, oneLine, shorten, shortenBytes } from "./text.ts";
import type { Shown } from "./types.ts";

/** https://docs.ntfy.sh/publish: longer ones than 4096 bytes become attachments. */
const MESSAGE_BYTES = 4000;

const PRIORITY = { critical: 5, warning: 4, resolved: 3, info: 3 } as const;
/** Names of emojis. */
const TAGS = {
  critical: ["rotating_light"],
  warning: ["warning"],
  resolved: ["white_check_mark"],
  info: ["information_source"],
} as const;

/** JSON is published at the server's address, with the topic inside. */
export function ntfyServer(topicUrl: string): string {
  const url = new URL(topicUrl);
  url.pathname = url.pathname.replace(/[^/]+$/, "");
  return url.href;
}

export function ntfyBody(message: Shown, topicUrl: string): object {
  const { severity, language, title, text, facts, url } = message;
  const lines = facts.map((fact) => factLine(fact, language)).join("\n");
  return {
    topic: new URL(topicUrl).pathname.split("/").at(-1),
    title: shorten(oneLine(title), 250),
    message: shortenBytes([text, lines].filter((part) => part !== "").join("\n\n"), MESSAGE_BYTES),
    priority: PRIORITY[severity],
    tags: TAGS[severity],
    ...(url === null ? {} : { click: url }),
  };
}
