import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, link, lstat, mkdir, open, readdir, rename, rmdir, statfs, unlink } from "node:fs/promises";
import path from "node:path";
import { background, codeOf, type Key, type LocalTierConfig, requireGuarded, toKey } from "@trivault/core";
import { endOnAbort, throwIfAborted, untilAborted } from "./cancellation.ts";
import { hashAll, sizedChunks } from "./source.ts";
import type { CallOptions, GetOptions, Source, Store } from "./store.ts";
import { existsWithOtherBytes, fileSystemError, notFound, wrongBytes } from "./store-errors.ts";
import { checkPrefix, type Entry, folders, listTemporary, listTree, parentOf, temporaryName } from "./tree.ts";

const READ_SIZE = 1024 * 1024;

/** A folder of this machine. Files are 0600, folders 0700; every publish is on the disk (fsync) before it is reported. */
export function localStore({ directory }: Pick<LocalTierConfig, "directory">): Store {
  const description = `local:${directory}`;
  const at = (relative: string) => path.join(directory, relative);

  async function put(key: Key, source: Source, options: CallOptions): Promise<"stored" | "exists"> {
    if (await isFile(at(key))) return sameOrThrow(key, source, options);
    return withTemporary(key, writing(key, source, options), options, async (temporary) => {
      if (!(await publish(temporary, at(key)))) return sameOrThrow(key, source, options);
      await syncFolder(at(parentOf(key)));
      return "stored";
    });
  }

  async function create(key: Key, write: (file: number) => Promise<void>, options: CallOptions): Promise<void> {
    if (await isFile(at(key))) throw existsWithOtherBytes(description, key);
    await withTemporary(
      key,
      ({ fd }) => write(fd),
      options,
      async (temporary) => {
        if (!(await publish(temporary, at(key)))) throw existsWithOtherBytes(description, key);
        await syncFolder(at(parentOf(key)));
      },
    );
  }

  function replace(key: Key, source: Source, options: CallOptions): Promise<void> {
    return withTemporary(key, writing(key, source, options), options, async (temporary) => {
      await rename(temporary, at(key));
      await syncFolder(at(parentOf(key)));
    });
  }

  /** With a file beside the key that `fill` has filled, and that is on the disk. */
  async function withTemporary<T>(
    key: Key,
    fill: (file: FileHandle) => Promise<void>,
    { signal }: CallOptions,
    use: (temporary: string) => Promise<T>,
  ): Promise<T> {
    const temporary = at(temporaryName(key));
    try {
      await fillFile(temporary, parentOf(key), fill);
      throwIfAborted(signal);
      return await use(temporary);
    } finally {
      await unlink(temporary).catch(ignore("ENOENT"));
    }
  }

  async function fillFile(file: string, folder: string, fill: (file: FileHandle) => Promise<void>): Promise<void> {
    await using opened = await createFile(file, folder);
    await fill(opened);
    await opened.sync();
  }

  async function createFile(file: string, folder: string): Promise<FileHandle> {
    for (let attempt = 1; ; attempt++) {
      await makeFolders(folder);
      try {
        return await open(file, "wx", 0o600);
      } catch (error) {
        // A delete of the backup's last file removed the folder in between.
        if (codeOf(error) !== "ENOENT" || attempt === 3) throw error;
      }
    }
  }

  async function makeFolders(folder: string): Promise<void> {
    for (const each of folders(folder)) {
      try {
        const made = await mkdir(at(each), { recursive: each === "", mode: 0o700 });
        if (each !== "" || made !== undefined) await syncFolder(path.dirname(at(each)));
      } catch (error) {
        if (codeOf(error) !== "EEXIST") throw error;
      }
    }
  }

  /** Writes the bytes of a source, checked on their way. */
  function writing(key: Key, source: Source, { signal, onBytes }: CallOptions): (file: FileHandle) => Promise<void> {
    return async (file) => {
      const hash = createHash("sha256");
      for await (const chunk of sizedChunks(source, { store: description, key }, signal)) {
        const written = background(writeAll(file, chunk));
        hash.update(chunk); // while the kernel copies it
        await written;
        onBytes?.(chunk.byteLength);
      }
      if (hash.digest("hex") !== source.sha256) throw wrongBytes(description, key, "their SHA-256 differs");
    };
  }

  async function sameOrThrow(key: Key, source: Source, { signal }: CallOptions): Promise<"exists"> {
    if (!(await holds(key, source, { signal }))) throw existsWithOtherBytes(description, key);
    await syncFolder(at(parentOf(key))); // Whoever published it may have died before doing so.
    return "exists";
  }

  async function holds(key: Key, bytes: { size: number; sha256: string }, options: CallOptions): Promise<boolean> {
    const found = await entryOf(path.dirname(at(key)), path.basename(key), false);
    if (found.kind !== "file" || found.size !== bytes.size) return false;
    return (await hashAll(read(key, { ...options, reuseChunks: true }))).sha256 === bytes.sha256;
  }

  async function* read(key: Key, { signal, range, onBytes, reuseChunks }: GetOptions): AsyncGenerator<Uint8Array> {
    let file: FileHandle;
    requireGuarded(directory);
    try {
      // A link placed on a tier must not lead a restore out of it.
      file = await open(at(key), constants.O_RDONLY | constants.O_NOFOLLOW);
    } catch (error) {
      throw codeOf(error) === "ENOENT" ? notFound(description, key) : fileSystemError(error, description, "opening");
    }
    try {
      const size = (await file.stat()).size;
      const end = Math.min(size, (range?.end ?? Number.POSITIVE_INFINITY) + 1);
      let buffer: Buffer | undefined;
      for (let position = range?.start ?? 0; position < end;) {
        if (!buffer || !reuseChunks) buffer = Buffer.allocUnsafeSlow(Math.min(READ_SIZE, end - position));
        const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, end - position), position);
        throwIfAborted(signal);
        if (bytesRead === 0) throw new Error(`${key} became shorter while it was read`);
        onBytes?.(bytesRead);
        position += bytesRead;
        yield buffer.subarray(0, bytesRead);
      }
    } catch (error) {
      throw fileSystemError(error, description, `reading ${key}`);
    } finally {
      await file.close();
    }
  }

  async function readFolder(relative: string): Promise<Entry[]> {
    requireGuarded(directory);
    try {
      const entries = await readdir(at(relative), { withFileTypes: true });
      return await Promise.all(entries.map((entry) => entryOf(at(relative), entry.name, entry.isDirectory())));
    } catch (error) {
      if (codeOf(error) === "ENOENT") return [];
      throw fileSystemError(error, description, `listing ${relative || "the folder"}`);
    }
  }

  /** Each verb: the key's gate first, errors in our words, and an end when the signal aborts. */
  function guard<T>(options: CallOptions, doing: string, work: () => Promise<T>): Promise<T> {
    return endOnAbort(options.signal, async () => {
      try {
        requireGuarded(directory);
        return await work();
      } catch (error) {
        throw fileSystemError(error, description, doing);
      }
    });
  }

  return {
    description,
    async put(unchecked, source, options = {}) {
      const key = toKey(unchecked);
      return guard(options, `writing ${key}`, () => put(key, source, options));
    },
    async create(unchecked, write, options = {}) {
      const key = toKey(unchecked);
      return guard(options, `writing ${key}`, () => create(key, write, options));
    },
    async replace(unchecked, source, options = {}) {
      const key = toKey(unchecked);
      return guard(options, `replacing ${key}`, () => replace(key, source, options));
    },
    async *get(unchecked, options = {}) {
      yield* untilAborted(read(toKey(unchecked), options), options.signal);
    },
    async stat(unchecked, options = {}) {
      const key = toKey(unchecked);
      return guard(options, `looking at ${key}`, async () => {
        const entry = await entryOf(path.dirname(at(key)), path.basename(key), false);
        return entry.kind === "file" ? { key, size: entry.size, modifiedAt: entry.modifiedAt } : null;
      });
    },
    async holds(unchecked, bytes, options = {}) {
      const key = toKey(unchecked);
      return guard(options, `checking ${key}`, () => holds(key, bytes, options));
    },
    list: (prefix, { signal } = {}) => untilAborted(listTree(prefix, readFolder), signal),
    async delete(unchecked, options = {}) {
      const key = toKey(unchecked);
      return guard(options, `deleting ${key}`, async () => {
        await unlink(at(key)).catch(ignore("ENOENT"));
        if (key.includes("/")) await removeIfEmpty(at(parentOf(key)));
      });
    },
    async sweep(prefix, olderThanMs, options = {}) {
      checkPrefix(prefix);
      return guard(options, "sweeping", async () => {
        let removed = 0;
        for await (const file of listTemporary(prefix, new Date(Date.now() - olderThanMs), readFolder)) {
          throwIfAborted(options.signal);
          await unlink(at(file)).catch(ignore("ENOENT"));
          await removeIfEmpty(at(parentOf(file)));
          removed++;
        }
        return removed;
      });
    },
    async capacity(options = {}) {
      return guard(options, "asking for free space", () => freeSpace(directory));
    },
    async close() {},
  };
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let done = 0; done < chunk.byteLength;) {
    done += (await file.write(chunk, done, chunk.byteLength - done)).bytesWritten;
  }
}

/** False where the target exists. link(2) never overwrites; file systems without links get a rename after a look. */
async function publish(temporary: string, target: string): Promise<boolean> {
  try {
    await link(temporary, target);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes(codeOf(error) ?? "")) throw error;
  }
  if (await isFile(target)) return false;
  await rename(temporary, target);
  return true;
}

async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  await handle.sync();
}

async function entryOf(folder: string, name: string, isDirectory: boolean): Promise<Entry> {
  const none = { name, size: 0, modifiedAt: new Date(0) };
  if (isDirectory) return { ...none, kind: "directory" };
  try {
    const found = await lstat(path.join(folder, name));
    return { name, kind: found.isFile() ? "file" : "other", size: found.size, modifiedAt: found.mtime };
  } catch (error) {
    if (codeOf(error) === "ENOENT") return { ...none, kind: "other" };
    throw error;
  }
}

async function isFile(file: string): Promise<boolean> {
  return (await entryOf(path.dirname(file), path.basename(file), false)).kind === "file";
}

async function removeIfEmpty(folder: string): Promise<void> {
  await rmdir(folder).catch(ignore("ENOTEMPTY", "EEXIST", "ENOENT", "EACCES", "EPERM"));
}

/** The space on the file system that holds the folder, or will once the folder is made. */
async function freeSpace(folder: string): Promise<{ free: number; total: number }> {
  try {
    const found = await statfs(folder);
    return { free: found.bavail * found.bsize, total: found.blocks * found.bsize };
  } catch (error) {
    if (codeOf(error) !== "ENOENT" || path.dirname(folder) === folder) throw error;
    return freeSpace(path.dirname(folder));
  }
}

function ignore(...codes: string[]): (error: unknown) => void {
  return (error) => {
    if (!codes.includes(codeOf(error) ?? "")) throw error;
  };
}
