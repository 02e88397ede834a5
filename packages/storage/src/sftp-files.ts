import { TrivaultError } from "@trivault/core";
import type { FileEntryWithStats, Stats } from "ssh2";
import type { SftpConnection } from "./sftp-connection.ts";
import { NO_SUCH_FILE, OP_UNSUPPORTED, statusOf } from "./sftp-errors.ts";
import { type Entry, parentOf } from "./tree.ts";

/** Single requests by path, as the SFTP store needs them; their errors carry SFTP's status. */
export async function lstat(server: SftpConnection, file: string): Promise<Stats | null> {
  try {
    return await server.request<Stats>((sftp, done) => sftp.lstat(file, done));
  } catch (error) {
    if (statusOf(error) === NO_SUCH_FILE) return null;
    throw error;
  }
}

export async function readDirectory(server: SftpConnection, folder: string): Promise<Entry[]> {
  const list = await server.request<FileEntryWithStats[]>((sftp, done) => sftp.readdir(folder, done));
  return list.map(({ filename, attrs }) => ({
    name: filename,
    kind: attrs.isDirectory() ? "directory" : attrs.isFile() ? "file" : "other",
    size: attrs.size,
    modifiedAt: new Date(attrs.mtime * 1000),
  }));
}

export async function unlink(server: SftpConnection, file: string): Promise<void> {
  try {
    await server.request<void>((sftp, done) => sftp.unlink(file, done));
  } catch (error) {
    if (statusOf(error) !== NO_SUCH_FILE) throw error;
  }
}

/**
 * Renames over what lies there, in one step where the server can (posix-rename@openssh.com). Elsewhere the old file goes
 * first: the new one lies beside it by then, whole, and whoever comes after a crash in between finds the file missing.
 */
export async function renameOver(server: SftpConnection, from: string, to: string): Promise<void> {
  try {
    await server.request<void>((sftp, done) => sftp.ext_openssh_rename(from, to, done));
  } catch (error) {
    if (!isUnsupported(error)) throw error;
    await unlink(server, to);
    await server.request<void>((sftp, done) => sftp.rename(from, to, done));
  }
}

/** A new file for `xw+`, which is nobody else's to read, or one that is there for `r`. */
export async function open(server: SftpConnection, file: string, how: "xw+" | "r"): Promise<Buffer> {
  const attributes = how === "r" ? {} : { mode: 0o600 };
  return server.request<Buffer>((sftp, done) => sftp.open(file, how, attributes, done));
}

export async function close(server: SftpConnection, handle: Buffer): Promise<void> {
  await server.request<void>((sftp, done) => sftp.close(handle, done));
}

/** Brings a file to the server's disk; false where the server cannot be asked to: it does so in its own time. */
export async function sync(server: SftpConnection, handle: Buffer): Promise<boolean> {
  try {
    await server.request<void>((sftp, done) => sftp.ext_openssh_fsync(handle, done));
    return true;
  } catch (error) {
    if (isUnsupported(error)) return false;
    throw error;
  }
}

/** ssh2 throws, without a status, for an extension that the server did not announce. */
function isUnsupported(error: unknown): boolean {
  return statusOf(error) === OP_UNSUPPORTED || (error instanceof Error && error.message.includes("does not support"));
}

/** Null where the server does not say. */
export async function freeSpace(server: SftpConnection, root: string): Promise<{ free: number; total: number } | null> {
  for (let folder = root; ; folder = parentOf(folder) || (root.startsWith("/") ? "/" : ".")) {
    try {
      const found = await server.request<Statvfs>((sftp, done) => sftp.ext_openssh_statvfs(folder, done));
      return { free: found.f_bavail * found.f_frsize, total: found.f_blocks * found.f_frsize };
    } catch (error) {
      if (error instanceof TrivaultError) throw error;
      if (statusOf(error) !== NO_SUCH_FILE || folder === "/" || folder === ".") return null;
    }
  }
}

/** statvfs@openssh.com, which ssh2's types leave open. */
interface Statvfs {
  readonly f_frsize: number;
  readonly f_blocks: number;
  readonly f_bavail: number;
}
