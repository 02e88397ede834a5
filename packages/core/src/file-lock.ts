import { randomUUID } from "node:crypto";
import { statSync } from "node:fs";
import { link, rm, writeFile } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { codeOf } from "./errors.ts";

/**
 * One writer at a time, over processes and containers. It is SQLite's lock on an empty database (of which nothing is ever
 * written): an fcntl lock, which the kernel frees when its owner dies, so that none is ever stale. Node offers no other.
 * Opened anew each time, so that a folder that was removed and made again is not locked under its former inode.
 */
export interface FileLock {
  release(): void;
}

const SQLITE_BUSY = 5;

/** Null where somebody else holds it all the time; throws where this file system has no locks, or nothing may be made. */
export async function takeFileLock(file: string, patienceMs: number): Promise<FileLock | null> {
  await ensureFile(file);
  const deadline = performance.now() + patienceMs;
  for (let delay = 2; ; delay = Math.min(delay * 1.5, 50)) {
    const lock = tryLock(file);
    if (lock !== null) return lock;
    if (performance.now() >= deadline) return null;
    await sleep(delay * (0.5 + Math.random())); // not all at once
  }
}

function tryLock(file: string): FileLock | null {
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN IMMEDIATE");
    return { release: () => database.close() };
  } catch (error) {
    database.close();
    if (typeof error === "object" && error !== null && "errcode" in error && error.errcode === SQLITE_BUSY) return null;
    throw error;
  }
}

/**
 * Never opens what is there: closing any descriptor of a file ends all locks that this process holds on it (POSIX), those
 * of SQLite included.
 */
async function ensureFile(file: string): Promise<void> {
  if (statSync(file, { throwIfNoEntry: false })) return;
  const temporary = `${file}.${randomUUID()}`;
  await writeFile(temporary, "", { flag: "wx", mode: 0o600 });
  try {
    await link(temporary, file);
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}
