import { DAY_SECONDS } from "../../time.ts";
import { parseBytes } from "../../bytes.ts";
import { parseCron } from "./cron.ts";
import { parseDuration } from "../../time.ts";
import { looksSecret } from "./key-text.ts";

/** How a text becomes a value, and the words that say what would be right; the same in the environment and in the file. */
export interface Format<T> {
  /** Null where the text is wrong. */
  parse(text: string): T | null;
  readonly right: string;
}

function format<T>(right: string, parse: (text: string) => T | null): Format<T> {
  return { parse, right };
}

/** A text that stays as it is. */
function only(right: string, valid: (text: string) => boolean): Format<string> {
  return { parse: (text) => (valid(text) ? text : null), right };
}

const matches = (pattern: RegExp) => (text: string) => pattern.test(text);

const ADDRESS =
  /^[^\s@<>",;:()[\]\\]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?$/;

export const FORMATS = {
  postgresUrl: only(
    "a PostgreSQL URL, such as postgresql://user:password@host:5432/shop",
    (text) => /^postgres(?:ql)?:\/\//.test(text) && isUrl(text, "postgres:", "postgresql:"),
  ),
  schedule: format('a cron line, such as "0 * * * *" (hourly), or off', (text): string | null =>
    text === "off" ? text : parseCron(text),
  ),
  timeZone: only("an IANA time zone, such as Europe/Paris", isTimeZone),
  duration: format("a duration, such as 90m, 12h or 30d", (text) => parseDuration(text)),
  objective: format("a duration from 1m, such as 90m, 12h or 2d", (text) => atLeast(60, parseDuration(text))),
  seconds: format("a duration from 1s, such as 30s or 5m", (text) => atLeast(1, parseDuration(text))),
  maintenance: format("a number of minutes from 1m to 1d, such as 15m", minutes),
  size: format("a size, such as 500GiB", (text) => atLeast(1, parseBytes(text))),
  path: only("a path", (text) => text !== "" && !text.includes("\0") && !looksSecret(text)),
  host: only(
    "a host name or address, such as backup.example.org",
    matches(/^(?:[A-Za-z0-9_][A-Za-z0-9._-]*|[0-9A-Fa-f:.]+(?:%[\w.-]+)?)$/),
  ),
  sshUser: only("a login name, such as trivault", matches(/^[^\s:@/]+$/)),
  fingerprint: only(
    "the fingerprint that `ssh-keygen -lf` prints on the server, such as SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
    matches(/^SHA256:[A-Za-z0-9+/]{43}=?$/),
  ),
  bucket: only("a bucket name, such as acme-backups", matches(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/)),
  prefix: only(
    "a folder inside the bucket, such as production/postgres",
    (text) =>
      /^[A-Za-z0-9._-]+(?:\/[A-Za-z0-9._-]+)*$/.test(text) && !text.split("/").some((part) => /^\.+$/.test(part)),
  ),
  region: only("a region, such as eu-west-3", matches(/^[a-z0-9-]+$/)),
  endpoint: only("the URL of the S3 server, such as https://s3.example.org", (text) => isUrl(text, "http:", "https:")),
  webUrl: only(
    "a URL, such as https://hooks.example.org/T0/B0",
    (text) => isUrl(text, "http:", "https:") && new URL(text).hostname !== "",
  ),
  mailAddress: only("a mail address, such as ops@example.org", matches(ADDRESS)),
  mailbox: only(
    "a mail address, or a name with one, such as Trivault <backup@example.org>",
    (text) => ADDRESS.test(text) || ADDRESS.test(/^[^<>"\r\n]{1,100}<([^<>]+)>$/.exec(text)?.[1] ?? ""),
  ),
  botToken: only("a bot's token as @BotFather gives it, such as 123456:ABC-DEF", matches(/^\d{3,20}:[\w-]{10,200}$/)),
  signingSecret: only(
    "a secret of at least 16 letters, digits and signs, such as `openssl rand -hex 32` prints",
    matches(/^[!-~]{16,1000}$/),
  ),
  /** One line of anything. */
  line: only("a text of one line", matches(/^[^\r\n\0]{1,1000}$/)),
  variable: only(
    "the name of an environment variable that holds it, such as SHOP_DATABASE_URL",
    matches(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/),
  ),
} as const;

export function isUrl(text: string, ...protocols: string[]): boolean {
  return URL.canParse(text) && protocols.includes(new URL(text).protocol);
}

function isTimeZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

/** Minutes, with a unit or without. */
function minutes(text: string): number | null {
  const seconds = /^\d{1,5}$/.test(text) ? Number(text) * 60 : parseDuration(text);
  return seconds !== null && seconds % 60 === 0 && seconds >= 60 && seconds <= DAY_SECONDS ? seconds / 60 : null;
}

function atLeast(least: number, value: number | null): number | null {
  return value !== null && value >= least ? value : null;
}
