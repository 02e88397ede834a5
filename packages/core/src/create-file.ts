import { randomUUID } from "node:crypto";
import { chown, link, open, rm, stat } from "node:fs/promises";
import path from "node:path";
import { codeOf } from "./errors.ts";

/**
 * Makes a file that only its owner can read (0600), whole or not at all: of several that make it at once the first one's
 * stays, and the others get false. Made by root it belongs to the owner of its folder, whose service shall read it.
 */
export async function createPrivateFile(file: string, text: string): Promise<boolean> {
  const temporary = `${file}.${randomUUID()}.tmp`;
  try {
    const handle = await open(temporary, "wx", 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (process.getuid?.() === 0) {
      const { uid, gid } = await stat(path.dirname(file));
      if (uid !== 0) await chown(temporary, uid, gid);
    }
    await link(temporary, file);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}
