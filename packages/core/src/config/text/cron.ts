import { createRequire } from "node:module";
import type * as CronParser from "cron-parser";

/** Loaded at its first use: not every command reads a schedule. */
const cronParser = () => createRequire(import.meta.url)("cron-parser") as typeof CronParser;

const ALIASES: Readonly<Record<string, string>> = {
  "@hourly": "0 * * * *",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@weekly": "0 0 * * 0",
  "@monthly": "0 0 1 * *",
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
};

/**
 * A cron line of five fields (or six, the first of which is seconds) in its plain form; null where it is none, or where it
 * never comes, as the 31st of February. The parser is the one that the scheduler uses.
 */
export function parseCron(text: string): string | null {
  const line = ALIASES[text.trim().toLowerCase()] ?? text.trim().replaceAll(/\s+/g, " ");
  const fields = line.split(" ");
  // `H` is the parser's own: a random value, another one each time that the line is read.
  if (fields.length < 5 || fields.length > 6 || fields.some((atom) => /h(?![a-z])/i.test(atom))) return null;
  try {
    cronParser()
      .CronExpressionParser.parse(line, { tz: "UTC", currentDate: new Date(0) })
      .next();
    return line;
  } catch {
    return null;
  }
}
