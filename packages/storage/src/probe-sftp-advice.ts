import { formatBytes, messageOf, settingOf, type SftpTierConfig, shellWord } from "@trivault/core";
import type { Stats } from "ssh2";
import { ProbeFailure } from "./probe-steps.ts";
import type { SftpConnection } from "./sftp-connection.ts";
import { FAILURE, PERMISSION_DENIED, statusOf } from "./sftp-errors.ts";
import { freeSpace } from "./sftp-files.ts";

/** What was tried, and in which folder. */
export type Doing = "make" | "write" | "read" | "rename" | "delete";

/** What the server lets us see of itself. Paths are as SFTP shows them, which need not be those of its disk. */
export interface Seen {
  readonly user: string;
  /** What names the tier's folder. */
  readonly setting: string;
  readonly doing: Doing;
  readonly folder: string;
  /** Null where it cannot be looked at. */
  readonly rights: { readonly mode: number; readonly uid: number } | null;
  /** Where the user begins, and who owns that; null where the server does not say. */
  readonly home: { readonly path: string; readonly uid: number } | null;
}

const MIB = 1024 * 1024;

/** Why a step failed: what the server said, and what to do about what was seen there. */
export async function adviceFor(
  server: SftpConnection,
  config: SftpTierConfig,
  tried: { readonly doing: Doing; readonly folder: string },
  error: unknown,
): Promise<ProbeFailure> {
  const space = await freeSpace(server, tried.folder).catch(() => null);
  if (statusOf(error) === FAILURE && space && space.free < MIB) {
    return new ProbeFailure(
      `the disk is full: ${formatBytes(space.free)} of ${formatBytes(space.total)} are free`,
      "Free space there, enlarge it, or keep fewer backups on this tier.",
      error,
    );
  }
  const seen: Seen = {
    ...tried,
    user: config.user,
    setting: settingOf(config, "directory"),
    rights: await statOf(server, tried.folder),
    home: await homeOf(server),
  };
  const advice = statusOf(error) === PERMISSION_DENIED ? adviceOnRights(seen) : adviceOnFailure(seen);
  return new ProbeFailure(`the server says "${messageOf(error)}"`, advice, error);
}

/**
 * In words, and never as a command with rights of root: a path of SFTP may be another folder on the server's disk (a chroot), and a
 * folder that is there may be others' as well.
 */
export function adviceOnRights(seen: Seen): string {
  const { user, doing } = seen;
  const but = `${user} may write in ${placeOf(seen)} but not ${doing}`;
  if (doing === "rename") {
    return (
      `${but}: backups appear by a rename, so that none is seen half-written. Allow that in the server's settings for this ` +
      "account (OpenSSH: no `-P rename`; ProFTPD: <Limit RNFR RNTO>)."
    );
  }
  if (doing === "delete") {
    return (
      `${but}: copies that no rule keeps would stay for ever. Allow that in the server's settings for this account (OpenSSH: ` +
      "no `-P remove`; ProFTPD: <Limit DELE>)."
    );
  }
  if (doing === "read") return `${but}: copies are read back to verify them. Allow that for this account.`;
  return adviceOnWriting(seen);
}

function adviceOnWriting(seen: Seen): string {
  const { user, setting, doing, folder, rights, home } = seen;
  if (home?.path === "/" && folder === "/") {
    return (
      `${user} begins in / and may not write there, as is usual under ChrootDirectory. Have a folder made below it that ` +
      `belongs to ${user}, and set ${setting} to that folder, as SFTP shows it.`
    );
  }
  const chroot = home === null || home.path === "/";
  if (!chroot && rights?.uid === home.uid && (rights.mode & 0o300) === 0o300) {
    return (
      `${placeOf(seen)} has the owner of ${user}'s home, so it is not the folder: this account may only read. Give it the right ` +
      "to write in the server's settings (OpenSSH: no `internal-sftp -R`; ProFTPD: <Limit WRITE>), or use another account."
    );
  }
  const begins = chroot ? "" : `, such as \`trivault\` (in its home, ${shellWord(home.path)})`;
  const elsewhere = `set ${setting} to a folder that belongs to it${begins}`;
  return doing === "make"
    ? `${user} may not make a folder in ${placeOf(seen)}. Have it made there, with ${user} as its owner; or ${elsewhere}.`
    : `${user} may not write in ${placeOf(seen)}. Have its owner allow that; or ${elsewhere}.`;
}

function placeOf({ folder, rights }: Seen): string {
  return `${shellWord(folder)}${rights ? ` (mode ${octal(rights.mode)}, owner ${rights.uid})` : ""}`;
}

function adviceOnFailure({ user, setting, home }: Seen): string {
  const begins = home && ` (${user} begins in ${shellWord(home.path)}; under ChrootDirectory, paths begin there)`;
  return (
    "Look at free space, quota, mount options (read-only?) and the log of its SSH server, and at " +
    `${setting}${begins ?? ""}.`
  );
}

function octal(mode: number): string {
  return (mode & 0o777).toString(8).padStart(3, "0");
}

async function statOf(server: SftpConnection, path: string): Promise<Stats | null> {
  return server.request<Stats>((sftp, done) => sftp.stat(path, done)).catch(() => null);
}

async function homeOf(server: SftpConnection): Promise<Seen["home"]> {
  const path = await server.request<string>((sftp, done) => sftp.realpath(".", done)).catch(() => null);
  const found = path === null ? null : await statOf(server, path);
  return path !== null && found ? { path, uid: found.uid } : null;
}
