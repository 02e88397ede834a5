import { randomBytes } from "node:crypto";
import path from "node:path";
import { codeOf, createPrivateFile, ensureStateFolder, TrivaultError, withPrivateFile } from "@trivault/core";

/** Gives the secret that the jobs of a site are sealed with. */
export type JobKey = () => Promise<Buffer>;

const BYTES = 32;

/**
 * The key of a site: `BACKUP_DIR/.trivault/jobs.key`, which its API, workers and command line share. Made at first use; read
 * anew each time, so that a folder that is replaced while processes run is followed.
 */
export function siteJobKey(backupDir: string): JobKey {
  const file = path.join(backupDir, ".trivault/jobs.key");
  return async () => (await read(file)) ?? (await create(backupDir, file));
}

async function create(backupDir: string, file: string): Promise<Buffer> {
  await ensureStateFolder(backupDir);
  const key = randomBytes(BYTES);
  if (await createPrivateFile(file, `${key.toString("base64url")}\n`)) return key;
  return (await read(file)) ?? create(backupDir, file);
}

/** Null where there is no such file. */
async function read(file: string): Promise<Buffer | null> {
  try {
    return await withPrivateFile(file, async ({ problem, bytes }) => {
      if (problem !== null) throw keyError(`The key ${file}, which jobs are sealed with, ${problem}`);
      const key = Buffer.from((await bytes()).toString("utf8").trim(), "base64url");
      if (key.length === BYTES) return key;
      throw keyError(`${file} is damaged: no job can be sealed or believed. Move it away, and a new one is made.`);
    });
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  }
}

const keyError = (message: string) => new TrivaultError("KEY_FILE", message, { permanent: true });
