import { visibleLine, visibleText } from "./visible.ts";

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
/** Attributes that people read; the others are for programs, which need a name as it is. */
const READ_BY_PEOPLE = new Set(["alt", "aria-label", "placeholder", "title"]);

interface Template {
  /** The fixed parts, without the indentation of their source. */
  readonly parts: readonly string[];
  /** For each value between them, how a text is written there. */
  readonly write: readonly ((text: string) => string)[];
}
const templates = new WeakMap<TemplateStringsArray, Template>();

/**
 * Markup with values in it: text is escaped, lists are joined, `null` and `false` are nothing. Attributes must be quoted.
 * Where people read it, text of strangers does nothing to the text around it: marks that turn its direction are written out.
 */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  let template = templates.get(strings);
  if (template === undefined) {
    template = readTemplate(strings);
    templates.set(strings, template);
  }
  const { parts, write } = template;
  let markup = parts[0] ?? "";
  for (let i = 0; i < values.length; i++) markup += markupOf(values[i], write[i] ?? escapeHtml) + (parts[i + 1] ?? "");
  return new Html(markup);
}

function readTemplate(strings: TemplateStringsArray): Template {
  const parts = strings.map((part) => part.replaceAll(/\s*\n\s*/g, "\n"));
  const write = parts.slice(0, -1).map((_, i) => {
    const attribute = /([\w-]+)="[^"<>]*$/.exec(parts.slice(0, i + 1).join(""))?.[1];
    if (attribute === undefined) return (text: string) => escapeHtml(visibleText(text));
    return READ_BY_PEOPLE.has(attribute) ? (text: string) => escapeHtml(visibleLine(text)) : escapeHtml;
  });
  return { parts, write };
}

function markupOf(value: HtmlValue, write: (text: string) => string): string {
  if (value === null || value === undefined || value === false) return "";
  if (value instanceof Html) return value.markup;
  if (typeof value === "number") return String(value);
  if (typeof value === "string") return write(value);
  return value.map((each) => markupOf(each, write)).join("");
}

export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ESCAPES[character] ?? "");
}

/** `parts` with `between` between them. */
export function join(parts: readonly HtmlValue[], between: HtmlValue): HtmlValue[] {
  return parts.flatMap((part, index) => (index === 0 ? [part] : [between, part]));
}
