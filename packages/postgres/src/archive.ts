import { TrivaultError } from "@trivault/core";
import { startChain } from "./chain.ts";
import { type Outcome, childEnv, statusOf } from "./child.ts";
import { feed } from "./feed.ts";
import { wholeTar } from "./whole-tar.ts";
import type { Tools } from "./tools.ts";

/** What an archive of pg_dump says about itself. */
export interface ArchiveHeader {
  readonly database: string;
  /** Null where it is no date. pg_dump notes the local time without a zone: it is taken as local time here. */
  readonly createdAt: Date | null;
  readonly serverVersion: string;
  readonly dumpVersion: string;
}

export type ArchiveFormat = "custom" | "tar";

export interface ArchiveOptions {
  readonly tools: Tools;
  readonly signal?: AbortSignal | undefined;
}

/** The header comes first and is short; the table of contents that follows it may be long. */
const MAX_HEADER = 16 * 1024;

/** Reads the table of contents, at the archive's start. Throws CORRUPT where pg_restore cannot. */
export async function readArchiveHeader(
  archive: AsyncIterable<Uint8Array>,
  format: ArchiveFormat,
  options: ArchiveOptions,
): Promise<ArchiveHeader> {
  const text = await pgRestore("--list", archive, format, options);
  const field = (name: string) => new RegExp(`^; +${name}: (.+)$`, "m").exec(text)?.[1];
  const database = field("dbname");
  const serverVersion = field("Dumped from database version");
  const dumpVersion = field("Dumped by pg_dump version");
  if (database === undefined || serverVersion === undefined || dumpVersion === undefined) {
    throw new TrivaultError("CORRUPT", "Its header does not name the database and the versions it comes from.", {
      permanent: true,
    });
  }
  return { database, serverVersion, dumpVersion, createdAt: timeOf(/^; Archive created at (.+)$/m.exec(text)?.[1]) };
}

/** Reads all of an archive, as a restore does, and makes nothing of it. Throws CORRUPT where it is cut off or damaged. */
export async function checkArchive(
  archive: AsyncIterable<Uint8Array>,
  format: ArchiveFormat,
  options: ArchiveOptions,
): Promise<void> {
  await pgRestore("--file=/dev/null", archive, format, options);
}

async function pgRestore(
  what: "--list" | "--file=/dev/null",
  archive: AsyncIterable<Uint8Array>,
  format: ArchiveFormat,
  { tools, signal }: ArchiveOptions,
): Promise<string> {
  const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone;
  const command = { name: "pg_restore", file: tools.pgRestore.path, args: [what], env: { ...childEnv(), TZ: zone } };
  const chain = await startChain([command], {
    stdin: "pipe",
    stdout: "pipe",
    signal,
    failure: (outcome) => unreadable(outcome, tools),
  });
  let text = "";
  chain.children[0]?.process.stdout?.on("data", (chunk: Buffer) => {
    if (text.length < MAX_HEADER) text += chunk.toString("utf8");
  });
  await feed(chain, format === "tar" ? wholeTar(archive) : archive);
  return text;
}

function unreadable(outcome: Outcome, tools: Tools): TrivaultError {
  if (/unsupported version/.test(outcome.stderr)) {
    const message = `It was made by a pg_dump newer than the pg_restore here (${tools.pgRestore.version}): install newer client programs of PostgreSQL.`;
    return new TrivaultError("TOOL_TOO_OLD", message, { permanent: true });
  }
  const said = outcome.stderr.replaceAll(/^pg_restore: (?:error: )?/gm, "");
  return new TrivaultError(
    "CORRUPT",
    `pg_restore cannot read it (it ${statusOf(outcome)}): ${said === "" ? "it said nothing" : said}.`,
    { permanent: true },
  );
}

/** `2026-11-23 16:16:09 CET`; the zone is ours, as pg_restore was started with it. */
function timeOf(text: string | undefined): Date | null {
  const match = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)/.exec(text ?? "");
  if (!match) return null;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  return new Date(year, month - 1, day, hour, minute, second);
}
