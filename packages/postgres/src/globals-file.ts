import { messageOf, TrivaultError } from "@trivault/core";
import { globalsScript } from "./globals-script.ts";
import { type Globals, globalsSchema } from "./globals.ts";

const DATA = "-- trivault-globals ";

/**
 * The file in a backup: the data in its first line, as a comment to SQL (JSON has no line breaks), and below it a script of
 * the same for psql, for whoever has nothing of ours. The script is never read back.
 */
export function encodeGlobals(globals: Globals): Buffer {
  return Buffer.from(`${DATA}${JSON.stringify(globals)}\n${globalsScript(globals)}`, "utf8");
}

/** Null for the script of pg_dumpall that backups held before there was data in them. */
export function decodeGlobals(file: Buffer): Globals | null {
  const end = file.indexOf("\n");
  const first = file.subarray(0, end === -1 ? file.length : end).toString("utf8");
  if (!first.startsWith(DATA)) return null;
  try {
    return globalsSchema.parse(JSON.parse(first.slice(DATA.length)));
  } catch (cause) {
    const message = `The roles in the backup cannot be read: ${messageOf(cause)}. Restore without --globals, with --no-owner.`;
    throw new TrivaultError("CORRUPT", message, { permanent: true, cause });
  }
}
