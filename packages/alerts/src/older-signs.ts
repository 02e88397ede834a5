import { type AlertRule, parseBytes, parseDuration } from "@trivault/core";
import type { Datum } from "./types.ts";

/** What a version before kept as English text. */
type Read = (text: string) => Datum;

const count: Read = (text) => (text.trim() === "" || Number.isNaN(Number(text)) ? null : Number(text));
const percent: Read = (text) => (Number.isNaN(Number.parseFloat(text)) ? null : Number.parseFloat(text) / 100);
const is =
  (word: string): Read =>
  (text) =>
    text === word;

const TEXTS: Readonly<Partial<Record<AlertRule, Readonly<Record<string, Read>>>>> = {
  "objective-missed": { late: is("true"), age: parseDuration, objective: parseDuration },
  "copy-lag": { lacking: count },
  "damage-found": { copies: count },
  "untrusted-backups": { copies: count },
  "unknown-copies": { copies: count },
  "database-vanished": { backups: count },
  "size-unusual": { bytes: count, bytesUsual: count, rows: count, rowsUsual: count },
  "tier-filling": { free: parseBytes, share: percent },
  "tier-over-budget": { bytes: parseBytes, budget: parseBytes, stops: is("true") },
  "tier-shrunk": { copies: count },
  "no-worker": { waiting: count },
  "clock-drift": { drift: parseDuration, ahead: is("ahead") },
  "audit-broken": { line: count, problems: count },
};

/** The data of a sign as it is kept now, for alerts that are firing while Trivault is upgraded. */
export function upgradedData(rule: AlertRule, data: Readonly<Record<string, Datum>>): Record<string, Datum> {
  const texts = TEXTS[rule] ?? {};
  const entries = Object.entries(data).map(([name, value]): [string, Datum] => {
    const read = Object.hasOwn(texts, name) ? texts[name] : undefined;
    return [name, typeof value === "string" && read ? read(value) : value];
  });
  return Object.fromEntries(entries);
}
