import path from "node:path";
import type { Config } from "@trivault/core";
import { parseDatabaseUrl } from "@trivault/postgres";

export interface Named {
  readonly database: string;
  readonly from: "--database" | "archive" | "script" | "file name" | "folder name";
}

/**
 * Which database a dump is of: what it says itself, else what its file is called without endings and dates, else the
 * folder; null where nothing is left. Where the dump says it, and exactly one configured database is that one under
 * another name, it is that name.
 */
export function nameDatabase(
  config: Config,
  file: string,
  own: string | null,
  from: "archive" | "script",
): Named | null {
  if (own !== null) return { database: configuredName(config, own), from };
  const stem = withoutDates(path.basename(file).replace(ENDINGS, ""));
  if (stem !== "") return { database: stem, from: "file name" };
  const folder = path.dirname(file);
  const name = folder === "." ? "" : withoutDates(path.basename(folder));
  return name === "" ? null : { database: name, from: "folder name" };
}

const ENDINGS = /(?:\.(?:sql|gz|gzip|zst|zstd|dump|dmp|backup|bak|back|tar|pgdump|pg|psql|custom|txt|out))+$/i;
/** `2026-11-20`, `20261120_0315`, `2026.11.20T03:15:00Z`, …, with what joins it; and seconds since 1970. */
const DATES =
  /(?:^|[-_.@ ])(?:(?:19|20)\d\d([-_.]?)[01]\d\1[0-3]\d(?:[-_.T @]?[0-2]\d[-_.:h]?[0-5]\d(?:[-_.:m]?[0-5]\d)?s?)?(?:Z|UTC)?|1\d{9})(?=$|[-_.@ ])/g;

function withoutDates(name: string): string {
  return name.replaceAll(DATES, "").replaceAll(/^[-_.@ ]+|[-_.@ ]+$/g, "");
}

function configuredName(config: Config, own: string): string {
  if (config.databases.some(({ name }) => name === own)) return own;
  const [only, ...others] = config.databases.filter(({ url }) => parseDatabaseUrl(url).database === own);
  return only && others.length === 0 ? only.name : own;
}

/**
 * The database that a plain SQL dump made with `--create` names, in the first statement that is none of the settings
 * before it.
 */
export function databaseOfScript(head: string): string | null {
  const settings = /^(?:\s*|--.*|\\.*|SET .*;|SELECT pg_catalog\.set_config\(.*;|DROP DATABASE .*;)\r?$/;
  const first = head
    .replace(/^\uFEFF/, "")
    .split("\n")
    .find((line) => !settings.test(line));
  const name = /^CREATE DATABASE ("(?:[^"]|"")+"|[^\s";]+)[ ;]/.exec(first ?? "")?.[1];
  return name === undefined ? null : name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
}
