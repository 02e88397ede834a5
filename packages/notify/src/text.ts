import { type Language, withoutTrailing } from "@trivault/core";
import { TEXTS } from "./texts.ts";
import type { Message } from "./types.ts";

/** At most so many UTF-16 units, which is what the vendors count; never half of a surrogate pair. */
export function shorten(text: string, most: number): string {
  return text.length <= most ? text : `${whole(text.slice(0, most - 1)).trimEnd()}…`;
}

export function shortenBytes(text: string, most: number): string {
  if (Buffer.byteLength(text) <= most) return text;
  const cut = Buffer.from(text)
    .subarray(0, most - 3)
    .toString("utf8");
  return `${withoutTrailing(cut, "\u{FFFD}").trimEnd()}…`;
}

/** One line, without control characters: for titles, subjects and header fields. Spaces that do not break stay. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp} ]+/gu, " ").trim();
}

export const paragraphs = (text: string): string[] =>
  text
    .split(/\n{2,}/)
    .map((part) => part.trim())
    .filter((part) => part !== "");

export function headline({ severity, title, language }: Pick<Message, "severity" | "title" | "language">): string {
  const texts = TEXTS[language];
  return `${texts.severity[severity]}${texts.colon}${oneLine(title)}`;
}

/** A fact in a line of text. */
export function factLine([name, value]: readonly [string, string], language: Language): string {
  return `${name}${TEXTS[language].colon}${value}`;
}

/** RGB. */
export const COLORS: Readonly<Record<Message["severity"], number>> = {
  critical: 0xc6_28_28,
  warning: 0xb2_6a_00,
  resolved: 0x2e_7d_32,
  info: 0x15_65_c0,
};

function whole(text: string): string {
  return /[\uD800-\uDBFF]$/.test(text) ? text.slice(0, -1) : text;
}
