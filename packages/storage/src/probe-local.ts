import { constants } from "node:fs";
import { access, link, open, readFile, rename, rmdir, stat, statfs, unlink } from "node:fs/promises";
import { userInfo } from "node:os";
import path from "node:path";
import { codeOf, ensureFolder, formatBytes, type LocalTierConfig, messageOf, shellWord } from "@trivault/core";
import { expectSame, type Probe, probeBytes, ProbeFailure, probeName } from "./probe-steps.ts";

export function localProbe({ directory }: Pick<LocalTierConfig, "directory">): Probe {
  const written = path.join(directory, probeName());
  const second = path.join(directory, probeName());
  const bytes = probeBytes();
  let made: string | undefined;
  let nearest: string = directory;
  const failure = (error: unknown) => failed(error, directory, nearest);

  return {
    steps: [
      {
        name: "folder",
        async run() {
          nearest = await nearestFolder(directory).catch(failure);
          made = await makeFolder(directory).catch(failure);
          if (!(await stat(directory)).isDirectory()) {
            throw new ProbeFailure(
              `${shellWord(directory)} is not a folder`,
              "Move what lies there, or choose another folder.",
            );
          }
          await access(directory, constants.R_OK | constants.W_OK | constants.X_OK).catch(failure);
          return `${shellWord(directory)} is ${made === undefined ? "there" : "not there yet; it can be made"}`;
        },
      },
      {
        name: "write",
        needs: "folder",
        async run() {
          await using file = await open(written, "wx", 0o600).catch(failure);
          await file.writeFile(bytes).catch(failure);
          await file.sync().catch(failure);
          await using folder = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY);
          await folder.sync().catch(failure);
          return `${formatBytes(bytes.length)}, on the disk (fsync)`;
        },
      },
      {
        name: "read back",
        needs: "write",
        async run() {
          expectSame(await readFile(written).catch(failure), bytes);
          return "the same bytes";
        },
      },
      {
        name: "rename",
        needs: "write",
        async run() {
          try {
            await link(written, second);
            await unlink(written);
            return "by link, which never overwrites";
          } catch (error) {
            if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes(codeOf(error) ?? "")) return failure(error);
            await rename(written, second).catch(failure);
            return "by rename, as this file system knows no links";
          }
        },
      },
      {
        name: "delete",
        needs: "rename",
        async run() {
          await unlink(second).catch(failure);
          return "gone";
        },
      },
      {
        name: "free space",
        needs: "folder",
        async run() {
          const { bavail, blocks, bsize } = await statfs(directory);
          return `${formatBytes(bavail * bsize)} of ${formatBytes(blocks * bsize)}`;
        },
      },
    ],
    async cleanUp() {
      for (const file of [written, second]) await unlink(file).catch(() => {});
      if (made === undefined) return;
      // Only what was made here, and only while it is empty.
      for (let each = directory; each.startsWith(made); each = path.dirname(each)) {
        await rmdir(each);
      }
    },
  };
}

/** Makes it where it is missing; the topmost folder that had to be made, or undefined. */
async function makeFolder(directory: string): Promise<string | undefined> {
  let missing: string | undefined;
  for (let each = directory; !(await exists(each)); each = path.dirname(each)) missing = each;
  await ensureFolder(directory);
  return missing;
}

async function exists(file: string): Promise<boolean> {
  try {
    await stat(file);
    return true;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return false;
    throw error;
  }
}

/** The folder itself, or that which is there and would hold it. */
async function nearestFolder(directory: string): Promise<string> {
  let each = directory;
  while (!(await exists(each))) each = path.dirname(each);
  return each;
}

function failed(error: unknown, directory: string, nearest: string): never {
  const user = userInfo().username;
  const seen = messageOf(error);
  switch (codeOf(error)) {
    case "EACCES":
    case "EPERM":
      throw new ProbeFailure(
        seen,
        nearest === directory
          ? `Choose a folder that belongs to ${user}, who runs this, or have the owner of ${shellWord(directory)} let it write there.`
          : newFolderAdvice(directory, nearest, user),
        error,
      );
    case "EROFS":
      throw new ProbeFailure(
        seen,
        "The file system is mounted read-only: mount it writable, or choose another folder.",
        error,
      );
    case "ENOSPC":
    case "EDQUOT":
      throw new ProbeFailure(seen, "The disk (or the quota) is full: free space, or keep fewer backups there.", error);
    case "ENOENT":
      throw new ProbeFailure(seen, "It cannot be made here: choose another folder.", error);
    case "ENOTDIR":
    case "EEXIST":
    case "ELOOP":
      throw new ProbeFailure(
        seen,
        "Something that is no folder stands in the way: move it, or choose another folder.",
        error,
      );
    default:
      throw new ProbeFailure(seen, "Look at the health of that disk (dmesg), and at what is mounted there.", error);
  }
}

/** What is there stays as it is: the only command makes a folder that is not there yet. */
function newFolderAdvice(directory: string, nearest: string, user: string): string {
  const folder = shellWord(directory);
  return (
    `${user}, who runs this, may not make a folder in ${shellWord(nearest)}. Make it once: ` +
    `sudo install -d -m 700 -o ${shellWord(user)} ${folder}; or choose a folder that belongs to ${user}.`
  );
}
