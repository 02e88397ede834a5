import { html, type Html } from "@trivault/core";

/** Words of ours in which commands stand between backticks. */
export function prose(text: string): Html {
  const parts = text.split("`");
  // An odd backtick is none of a pair.
  if (parts.length % 2 === 0) return html`${text}`;
  return html`${parts.map((part, index) => (index % 2 === 0 ? part : html`<code>${part}</code>`))}`;
}
