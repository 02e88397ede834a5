/**
 * Characters that act where they should be shown: control characters (C0, DEL, C1: an escape sequence may begin with U+001B
 * as well as U+009B), line and paragraph separators, halves of surrogate pairs, and what changes the direction of text.
 */
const ACTING = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu;
const SHORT: Readonly<Record<string, string>> = { "\n": String.raw`\n`, "\r": String.raw`\r`, "\t": String.raw`\t` };

/**
 * Text of a database, a server or a file's name, as one line that does nothing to a terminal or to the text around it:
 * `shop\x1b[2J`. For whatever is shown to people; what is compared or looked up stays as it is.
 */
export function visibleLine(text: string): string {
  return text.replaceAll(ACTING, escaped);
}

/** The same for text of several lines: line breaks and tabs stay. */
export function visibleText(text: string): string {
  return text.replaceAll(ACTING, (character) => (/[\n\t]/.test(character) ? character : escaped(character)));
}

/** JSON with the same value. JSON.stringify itself escapes no more than C0. */
export function visibleJson(json: string): string {
  return json.replaceAll(ACTING, (character) => (character <= "\u001F" ? character : `\\u${hex(character, 4)}`));
}

/** Every string in a value of plain data. */
export function visibleStrings<T>(value: T): T;
export function visibleStrings(value: unknown): unknown {
  if (typeof value === "string") return visibleLine(value);
  if (Array.isArray(value)) return value.map((each: unknown) => visibleStrings(each));
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, visibleStrings(each)]));
}

function escaped(character: string): string {
  return SHORT[character] ?? (character <= "\u00FF" ? `\\x${hex(character, 2)}` : `\\u${hex(character, 4)}`);
}

function hex(character: string, digits: number): string {
  return (character.codePointAt(0) ?? 0).toString(16).padStart(digits, "0");
}
