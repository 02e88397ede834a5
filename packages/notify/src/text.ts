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
  return `${cut.replace(/\uFFFD+$/, "").trimEnd()}…`;
}

/** One line, without control characters: for titles, subjects and header fields. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, " ").trim();
}

export const paragraphs = (text: string): string[] =>
  text
    .split(/\n{2,}/)
    .map((part) => part.trim())
    .filter((part) => part !== "");

const LABELS: Readonly<Record<Message["severity"], string>> = {
  critical: "Critical",
  warning: "Warning",
  resolved: "Resolved",
  info: "Info",
};

export function headline({ severity, title }: Pick<Message, "severity" | "title">): string {
  return `${LABELS[severity]}: ${oneLine(title)}`;
}

/** RGB. */
export const COLORS: Readonly<Record<Message["severity"], number>> = {
  critical: 0xc6_28_28,
  warning: 0xb2_6a_00,
  resolved: 0x2e_7d_32,
  info: 0x15_65_c0,
};

/** `2026-11-23 02:14 UTC`. */
export function utc(at: Date): string {
  return `${at.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

function whole(text: string): string {
  return /[\uD800-\uDBFF]$/.test(text) ? text.slice(0, -1) : text;
}
