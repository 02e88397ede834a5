import { DAY_SECONDS, hidePasswords, visibleJson, visibleLine, visibleText } from "@trivault/core/basics";

/**
 * All that the commands write. stdout is a command's result and nothing else; whatever is reported on the way goes to stderr.
 * Names and messages come from databases, servers and tiers: none of them does anything to a terminal.
 */

export function printJson(value: unknown): void {
  process.stdout.write(`${visibleJson(JSON.stringify(value, null, 2))}\n`);
}

/** On one line, where others follow. */
export function printJsonLine(value: unknown): void {
  process.stdout.write(`${visibleJson(JSON.stringify(value))}\n`);
}

/** One line, whatever the names in it hold: what is laid out in several would become one. */
export function print(line: string): void {
  process.stdout.write(`${visibleLine(line)}\n`);
}

/** What is laid out in lines already: a table, a text of ours. */
export function printText(text: string): void {
  process.stdout.write(`${visibleText(text)}\n`);
}

export function sayText(text: string): void {
  process.stderr.write(`${visibleText(text)}\n`);
}

/** What goes over several lines (a message of PostgreSQL) is indented, so that it passes for nothing of ours. */
export function say(text: string): void {
  process.stderr.write(`${visibleText(hidePasswords(text)).replaceAll(/\n(?! {2})/g, "\n  ")}\n`);
}

/** Columns as wide as their widest cell, two spaces apart; a `>` before its heading sets a column to the right. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const right = headings.map((heading) => heading.startsWith(">"));
  return align([headings.map((heading) => heading.replace(/^>/, "")), ...rows], right);
}

/** `["Size", "3 MiB"]`, …: names in one column, what they are in the other. */
export function facts(pairs: readonly (readonly [name: string, value: string])[]): string {
  return align(pairs, []);
}

function align(rows: readonly (readonly string[])[], right: readonly boolean[]): string {
  const lines = rows.map((row) => row.map(visibleLine));
  const columns = Math.max(...lines.map((line) => line.length));
  const widths = Array.from({ length: columns }, (_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)));
  const pad = (cell: string, i: number) => (right[i] ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0));
  return lines.map((line) => line.map(pad).join("  ").trimEnd()).join("\n");
}

const UNITS: readonly (readonly [seconds: number, name: string])[] = [
  [DAY_SECONDS, "d"],
  [3600, "h"],
  [60, "min"],
];

/** `90_000` → `"1 min ago"`. */
export function formatAge(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const [unit, name] = UNITS.find(([size]) => seconds >= size) ?? [1, "s"];
  return `${Math.floor(seconds / unit)} ${name} ago`;
}

/** `3725` → `"1 h 2 min"`, `4.26` → `"4.3 s"`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `2026-11-23 02:00:00 UTC`. */
export function formatTime(time: Date): string {
  return `${time.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}
