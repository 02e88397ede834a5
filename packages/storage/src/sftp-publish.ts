import { background } from "@trivault/core";
import type { SftpConnection } from "./sftp-connection.ts";
import { statusOf } from "./sftp-errors.ts";
import { lstat } from "./sftp-files.ts";

const publishing = new Map<string, Promise<unknown>>();

/**
 * Gives a file its final name; false where something has that name already. OpenSSH refuses then, with one status, ProFTPD with
 * another, and rclone replaces what is there: so it is looked at before, by one writer of this process at a time. Writers of other
 * processes may meet on such a server only in the one round trip between the look and the rename.
 *
 * Hard links would close even that, but rclone answers them with "done" and makes none.
 */
export async function publish(server: SftpConnection, place: string, from: string, to: string): Promise<boolean> {
  const name = `${place} ${to}`;
  const before = publishing.get(name);
  const mine = background(
    (async () => {
      await before?.catch(() => {});
      return renameToFree(server, from, to);
    })(),
  );
  publishing.set(name, mine);
  try {
    return await mine;
  } finally {
    if (publishing.get(name) === mine) publishing.delete(name);
  }
}

async function renameToFree(server: SftpConnection, from: string, to: string): Promise<boolean> {
  if (await lstat(server, to)) return false;
  try {
    // SSH_FXP_RENAME, and not posix-rename@openssh.com, whose purpose is to replace.
    await server.request<void>((sftp, done) => sftp.rename(from, to, done));
    return true;
  } catch (error) {
    if (statusOf(error) !== undefined && (await lstat(server, to))) return false;
    throw error;
  }
}
