import { stat } from "node:fs/promises";
import path from "node:path";
import {
  codeOf,
  type Config,
  ensureLinkedFolder,
  ensurePrivateFolder,
  messageOf,
  readdirOrEmpty,
  sha256Hex,
  TrivaultError,
} from "@trivault/core";
import type { RunDirectory } from "./run-directory.ts";

/** Segments that may wait in the spool, complete; one more is being written. The dump pauses beyond that. */
export const MAX_WAITING_PARTS = 4;

const PART = /^part-(\d{6,})$/;

const WHAT = "The spool (BACKUP_SPOOL_DIR)";
type SpoolConfig = Pick<Config, "backupDir" | "spoolDir" | "spoolMemory">;

/**
 * Makes the spool, or finds it, private to this user: plaintext lies there. By default it is `BACKUP_DIR/.trivault/spool`, a
 * link into memory (`/dev/shm/trivault-<hash of BACKUP_DIR>-<random>`), which every process of the site follows.
 */
export async function ensureSpool({ backupDir, spoolDir, spoolMemory }: SpoolConfig): Promise<void> {
  try {
    if (spoolMemory === null) await ensurePrivateFolder(spoolDir, WHAT);
    else
      await ensureLinkedFolder(
        spoolDir,
        spoolMemory,
        `trivault-${sha256Hex(Buffer.from(backupDir)).slice(0, 12)}-`,
        WHAT,
      );
  } catch (cause) {
    if (cause instanceof TrivaultError) throw cause;
    throw new TrivaultError(
      "STORE_REFUSED",
      `${WHAT} cannot be made at ${spoolDir} (${messageOf(cause)}): set BACKUP_SPOOL_DIR to a folder on a tmpfs, such as /dev/shm/trivault.`,
      { permanent: true, cause },
    );
  }
}

export interface SpoolState {
  /** Numbers of the parts that lie there, ascending; all but the last are complete, as `split` writes one after another. */
  readonly parts: readonly number[];
  /** Bytes of the last part so far; 0 where there is none. */
  readonly lastSize: number;
}

export async function readSpool(run: RunDirectory): Promise<SpoolState> {
  const parts = (await readdirOrEmpty(run.spool))
    .map((name) => PART.exec(name)?.[1])
    .filter((number) => number !== undefined)
    .map(Number)
    .toSorted((a, b) => a - b);
  const last = parts.at(-1);
  return { parts, lastSize: last === undefined ? 0 : await sizeOf(partPath(run, last)) };
}

export function partPath(run: RunDirectory, number: number): string {
  return path.join(run.spool, `part-${String(number).padStart(6, "0")}`);
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return 0;
    throw error;
  }
}
