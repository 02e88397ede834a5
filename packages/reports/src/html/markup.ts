/** Markup that may stand in a page as it is. */
export class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export type Content = Markup | string | number | null | readonly Content[];

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Markup with contents in it: text is escaped, lists are joined, null is nothing. */
export function html(strings: TemplateStringsArray, ...contents: readonly Content[]): Markup {
  let text = strings[0] ?? "";
  for (const [index, content] of contents.entries()) text += write(content) + (strings[index + 1] ?? "");
  return new Markup(text.replaceAll(/\n\s+/g, "\n"));
}

function write(content: Content): string {
  if (content === null) return "";
  if (content instanceof Markup) return content.text;
  if (typeof content === "number") return String(content);
  if (typeof content === "string") return content.replaceAll(/[&<>"']/g, (character) => ESCAPES[character] ?? "");
  return content.map(write).join("");
}
