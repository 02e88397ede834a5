/** Markup that may stand in a page as it is. */
export class Html {
  readonly markup: string;
  constructor(markup: string) {
    this.markup = markup;
  }
}

export type HtmlValue = Html | string | number | null | undefined | false | readonly HtmlValue[];

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
/** The fixed parts of each template, without the indentation of its source. */
const trimmed = new WeakMap<TemplateStringsArray, readonly string[]>();

/** Markup with values in it: text is escaped, lists are joined, `null` and `false` are nothing. Attributes must be quoted. */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  let parts = trimmed.get(strings);
  if (parts === undefined) {
    parts = strings.map((part) => part.replaceAll(/\s*\n\s*/g, "\n"));
    trimmed.set(strings, parts);
  }
  let markup = parts[0] ?? "";
  for (let i = 0; i < values.length; i++) markup += markupOf(values[i]) + (parts[i + 1] ?? "");
  return new Html(markup);
}

function markupOf(value: HtmlValue): string {
  if (value === null || value === undefined || value === false) return "";
  if (value instanceof Html) return value.markup;
  if (typeof value === "number") return String(value);
  if (typeof value === "string") return escapeHtml(value);
  return value.map(markupOf).join("");
}

export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ESCAPES[character] ?? "");
}

/** `parts` with `between` between them. */
export function join(parts: readonly HtmlValue[], between: HtmlValue): HtmlValue[] {
  return parts.flatMap((part, index) => (index === 0 ? [part] : [between, part]));
}
