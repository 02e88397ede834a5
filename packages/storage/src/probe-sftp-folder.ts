import { createHash, randomBytes } from "node:crypto";
import { formatBytes, settingOf, type SftpTierConfig, shellWord, TrivaultError } from "@trivault/core";
import type { Stats } from "ssh2";
import { adviceFor, type Doing } from "./probe-sftp-advice.ts";
import { ProbeFailure, probeName, type Step } from "./probe-steps.ts";
import type { SftpConnection } from "./sftp-connection.ts";
import { statusOf } from "./sftp-errors.ts";
import { close, lstat, open, sync, unlink } from "./sftp-files.ts";
import { publish } from "./sftp-publish.ts";
import { hashFile, writeChunks } from "./sftp-transfer.ts";
import { parentOf } from "./tree.ts";

/** As the copies read their segments: one buffer of 1 MiB that is filled anew for each chunk. */
const CHUNK = 1024 * 1024;
const CHUNKS = 6;
/** A slow link is no fault: after this it is written no further. */
const WRITE_MS = 5_000;

/** What backups do in the tier's folder, by the code that does it for them. */
export function folderProbe(
  config: SftpTierConfig,
  connected: () => SftpConnection,
): { root: string; steps: Step[]; cleanUp(): Promise<void> } {
  // As the store takes it: SFTP knows no "~"; a relative path begins in the user's home.
  const root = config.directory.replace(/^~\/?/, "") || ".";
  const at = (name: string) => `${root === "/" ? "" : root}/${name}`;
  const [first, second, third] = [at(probeName()), at(probeName()), at(probeName())];
  const made: string[] = [];
  let written = { size: 0, sha256: "" };

  const step = (name: string, needs: string, doing: Doing, run: () => Promise<string>): Step => ({
    name,
    needs,
    async run() {
      try {
        return await run();
      } catch (error) {
        if (error instanceof ProbeFailure || error instanceof TrivaultError) throw error;
        const folder = doing === "make" ? above(made.at(-1) ?? root) : root;
        throw await adviceFor(connected(), config, { doing, folder }, error);
      }
    },
  });
  return {
    root,
    steps: [
      step("folder", "authenticate", "make", () => findFolder(config, connected(), root, made)),
      step("write", "folder", "write", async () => {
        const { detail, ...bytes } = await write(connected(), first);
        written = bytes;
        return detail;
      }),
      step("read back", "write", "read", () => readBack(connected(), first, written)),
      step("rename", "write", "rename", () => rename(connected(), first, second, third)),
      step("delete", "rename", "delete", () => remove(connected(), second)),
    ],
    async cleanUp() {
      for (const file of [first, second, third]) await unlink(connected(), file).catch(() => {});
      for (const folder of made.toReversed()) {
        await connected()
          .request<void>((sftp, done) => sftp.rmdir(folder, done))
          .catch(() => {}); // It is not empty, or could not be made.
      }
    },
  };
}

function above(folder: string): string {
  return parentOf(folder) || (folder.startsWith("/") ? "/" : ".");
}

/** Makes it where it is missing; each folder goes to `made` before it is asked for. */
async function findFolder(
  config: SftpTierConfig,
  server: SftpConnection,
  root: string,
  made: string[],
): Promise<string> {
  const parts = root.split("/").map((_, i, all) => all.slice(0, i + 1).join("/"));
  const missing = parts.filter((part) => part !== "");
  while (missing.length > 0 && (await lstat(server, missing[0] ?? ""))) missing.shift();
  for (const folder of missing) {
    made.push(folder);
    await server.request<void>((sftp, done) => sftp.mkdir(folder, { mode: 0o700 }, done));
  }
  const found = await server.request<Stats>((sftp, done) => sftp.stat(root, done));
  if (!found.isDirectory()) {
    throw new ProbeFailure(
      `${shellWord(root)} is not a folder`,
      `Move what lies there, or correct ${settingOf(config, "directory")}.`,
    );
  }
  const path = shellWord(await server.request<string>((sftp, done) => sftp.realpath(root, done)));
  const mode = (found.mode & 0o777).toString(8).padStart(3, "0");
  return made.length > 0
    ? `${path} is not there yet; it can be made`
    : `${path} is there (mode ${mode}, owner ${found.uid})`;
}

/** More than a server holds in its window, from a buffer that is reused: a server that takes less at a time shows it here. */
async function write(
  server: SftpConnection,
  file: string,
): Promise<{ readonly detail: string; readonly size: number; readonly sha256: string }> {
  const hash = createHash("sha256");
  const until = performance.now() + WRITE_MS;
  let size = 0;
  async function* chunks(): AsyncGenerator<Buffer> {
    const [random, buffer] = [randomBytes(CHUNK), Buffer.allocUnsafe(CHUNK)];
    for (let i = 0; i < CHUNKS && (i === 0 || performance.now() < until); i++) {
      random.copy(buffer);
      buffer.writeUInt32BE(i); // No chunk is like another.
      hash.update(buffer);
      size += buffer.length;
      yield buffer;
      buffer.fill(0);
    }
  }
  const handle = await open(server, file, "xw+");
  let synced: boolean;
  try {
    await writeChunks(server, handle, chunks(), undefined);
    synced = await sync(server, handle);
  } finally {
    await close(server, handle);
  }
  const how = synced
    ? "on its disk (fsync)"
    : "but it cannot be asked to bring that to its disk (no fsync@openssh.com)";
  return { detail: `${formatBytes(size)}, ${how}`, size, sha256: hash.digest("hex") };
}

async function readBack(
  server: SftpConnection,
  file: string,
  written: { readonly size: number; readonly sha256: string },
): Promise<string> {
  const size = (await lstat(server, file))?.size ?? 0;
  if (size === written.size && (await hashFile(server, file, size)) === written.sha256) return "the same bytes";
  throw new ProbeFailure(
    `other bytes came back than were written (${size} instead of ${written.size})`,
    "Do not use this tier before its disk, memory and software are checked: what it stores is not what it is given.",
  );
}

/** Backups appear by a rename that must not replace what is there. */
async function rename(server: SftpConnection, first: string, second: string, third: string): Promise<string> {
  await close(server, await open(server, third, "xw+"));
  const move = server.request<void>((sftp, done) => sftp.rename(third, first, done));
  const refused = await move.then(
    () => false,
    (error: unknown) => {
      if (statusOf(error) === undefined) throw error;
      return true;
    },
  );
  await publish(server, "probe", first, second);
  return refused
    ? "it never replaces a file that is there"
    : "it would replace a file that is there, so Trivault looks before each: let only one site write into this folder";
}

async function remove(server: SftpConnection, file: string): Promise<string> {
  await unlink(server, file);
  if (await lstat(server, file)) {
    throw new ProbeFailure("the file is still there", "Look at that server's file system: is it a write-once archive?");
  }
  return "gone";
}
