import { type Key, type SftpTierConfig, toKey } from "@trivault/core";
import type { Stats } from "ssh2";
import { endOnAbort, throwIfAborted, untilAborted } from "./cancellation.ts";
import { sftpDescription } from "./descriptions.ts";
import { connectSftp, type SftpConnection, type SftpTimeouts } from "./sftp-connection.ts";
import { FAILURE, NO_SUCH_FILE, sftpError, statusOf } from "./sftp-errors.ts";
import { close, freeSpace, lstat, open, readDirectory, renameOver, sync, unlink } from "./sftp-files.ts";
import { type RemoteHasher, startHasher } from "./sftp-hasher.ts";
import { publish } from "./sftp-publish.ts";
import { hashFile, readChunks, writeChunks } from "./sftp-transfer.ts";
import { hashAll, sizedChunks } from "./source.ts";
import type { CallOptions, GetOptions, Source, Store } from "./store.ts";
import { existsWithOtherBytes, notFound, storedOtherBytes, storeFull, wrongBytes } from "./store-errors.ts";
import { checkPrefix, type Entry, folders, listTemporary, listTree, parentOf, temporaryName } from "./tree.ts";

/** Below this, reading a file back costs less than a process on the server. */
const SMALL = 256 * 1024;

/**
 * A folder on a server, over SFTP. Objects are written under a temporary name, synced, hashed by the server itself
 * (`openssl` or `sha256sum`; read back where it runs no commands) and only then renamed to their key. Connects at the first call, and
 * anew after a connection broke.
 */
export function sftpStore(config: SftpTierConfig, timeouts: Partial<SftpTimeouts> = {}): Store {
  const description = sftpDescription(config);
  const settings = { connectTimeoutMs: 10_000, idleTimeoutMs: 60_000, ...timeouts };
  // SFTP knows no "~"; a relative path begins in the user's home.
  const root = config.directory.replace(/^~\/?/, "") || ".";
  const at = (relative: string) => (relative === "" ? root : `${root === "/" ? "" : root}/${relative}`);

  let current: Promise<SftpConnection> | undefined;
  let madeFolders = new Set<string>();
  const hashers = new WeakMap<SftpConnection, RemoteHasher>();

  async function connection(): Promise<SftpConnection> {
    const known = current;
    if (known) {
      const found = await known;
      if (!found.isDead()) return found;
    }
    if (current === known) {
      madeFolders = new Set();
      current = connectSftp(config, description, settings);
      const mine = current;
      mine.catch(() => {
        if (current === mine) current = undefined;
      });
    }
    return current ?? connection();
  }

  async function put(key: Key, source: Source, { signal, onBytes }: CallOptions): Promise<"stored" | "exists"> {
    const server = await connection();
    throwIfAborted(signal);
    if (await fileAt(server, key)) return sameOrThrow(server, key, source);
    return withTemporary(server, key, source, { signal, onBytes }, async (temporary) =>
      (await publish(server, description, temporary, at(key))) ? "stored" : sameOrThrow(server, key, source),
    );
  }

  async function replace(key: Key, source: Source, options: CallOptions): Promise<void> {
    const server = await connection();
    throwIfAborted(options.signal);
    await withTemporary(server, key, source, options, (temporary) => renameOver(server, temporary, at(key)));
  }

  /** With the bytes written beside the key, synced and hashed by the server. */
  async function withTemporary<T>(
    server: SftpConnection,
    key: Key,
    source: Source,
    { signal, onBytes }: CallOptions,
    use: (temporary: string) => Promise<T>,
  ): Promise<T> {
    const temporary = at(temporaryName(key));
    let handle: Buffer | undefined = await create(server, temporary, parentOf(key));
    const closeFile = async () => {
      const opened = handle;
      handle = undefined;
      if (opened) await close(server, opened);
    };
    if (source.size > SMALL) hasherOf(server);
    try {
      const chunks = sizedChunks(source, { store: description, key }, signal);
      await writeChunks(server, handle, chunks, onBytes).catch((error: unknown) => fullOr(server, error, source.size));
      await sync(server, handle);
      // Some servers let nobody read a file that is open for writing.
      await closeFile();
      throwIfAborted(signal);
      if ((await sha256Of(server, temporary, source.size)) !== source.sha256)
        throw await whoseFault(key, source, signal);
      throwIfAborted(signal);
      return await use(temporary);
    } finally {
      if (!server.isDead()) {
        await closeFile().catch(() => {}); // What went wrong before says more.
        await unlink(server, temporary).catch(() => {}); // `sweep` will find it.
      }
    }
  }

  /** Other bytes lie there than were promised: the source is read once more to know which end they come from. */
  async function whoseFault(key: Key, source: Source, signal: AbortSignal | undefined): Promise<Error> {
    const found = "what the server stored has another SHA-256";
    const given = await hashAll(untilAborted(source.open(signal), signal));
    return given.sha256 === source.sha256 ? storedOtherBytes(description, key) : wrongBytes(description, key, found);
  }

  /** A new file, with its folders, which are made once per connection. */
  async function create(server: SftpConnection, file: string, folder: string): Promise<Buffer> {
    for (let attempt = 1; ; attempt++) {
      await makeFolders(server, folder);
      try {
        return await open(server, file, "xw+");
      } catch (error) {
        // Someone deleted the folder since it was made.
        if (statusOf(error) !== NO_SUCH_FILE || attempt === 3) throw error;
        madeFolders.clear();
      }
    }
  }

  async function makeFolders(server: SftpConnection, folder: string): Promise<void> {
    if (madeFolders.has(folder)) return;
    const above = root.split("/").map((_, i, parts) => parts.slice(0, i + 1).join("/"));
    const all = [...above, ...folders(folder).slice(1).map(at)].filter((each) => each !== "" && each !== ".");
    // The deepest first: mostly it is there.
    let missing = all.length;
    while (missing > 0 && !(await lstat(server, all[missing - 1] ?? ""))) missing--;
    for (const each of all.slice(missing)) {
      try {
        await server.request<void>((sftp, done) => sftp.mkdir(each, { mode: 0o700 }, done));
      } catch (error) {
        if (!(await lstat(server, each))) throw error; // Another writer made it.
      }
    }
    madeFolders.add(folder);
  }

  /** Started with the first large file, while it is on its way. */
  function hasherOf(server: SftpConnection): RemoteHasher {
    const hasher = hashers.get(server) ?? startHasher(server);
    hashers.set(server, hasher);
    return hasher;
  }

  /** By the server itself where that pays; else read back. */
  async function sha256Of(server: SftpConnection, file: string, size: number): Promise<string> {
    const hash = size <= SMALL ? null : await hasherOf(server).sha256(file);
    return hash ?? hashFile(server, file, size);
  }

  async function holds(server: SftpConnection, key: Key, bytes: { size: number; sha256: string }): Promise<boolean> {
    const found = await fileAt(server, key);
    return found?.size === bytes.size && (await sha256Of(server, at(key), bytes.size)) === bytes.sha256;
  }

  async function sameOrThrow(server: SftpConnection, key: Key, source: Source): Promise<"exists"> {
    if (!(await holds(server, key, source))) throw existsWithOtherBytes(description, key);
    return "exists";
  }

  async function* read(key: Key, { range, onBytes }: GetOptions): AsyncGenerator<Uint8Array> {
    const server = await connection();
    let handle: Buffer | undefined;
    try {
      const opened = (handle = await open(server, at(key), "r"));
      const { size } = await server.request<Stats>((sftp, done) => sftp.fstat(opened, done));
      const end = Math.min(size, (range?.end ?? Number.POSITIVE_INFINITY) + 1);
      let position = range?.start ?? 0;
      for await (const chunk of readChunks(server, handle, position, end)) {
        position += chunk.length;
        onBytes?.(chunk.length);
        yield chunk;
      }
      if (position < end) throw new Error("the file became shorter while it was read");
    } catch (error) {
      throw statusOf(error) === NO_SUCH_FILE
        ? notFound(description, key)
        : sftpError(error, description, `reading ${key}`);
    } finally {
      if (handle && !server.isDead()) await close(server, handle).catch(() => {});
    }
  }

  async function fileAt(server: SftpConnection, key: Key): Promise<{ size: number; modifiedAt: Date } | null> {
    const found = await lstat(server, at(key));
    return found?.isFile() ? { size: found.size, modifiedAt: new Date(found.mtime * 1000) } : null;
  }

  async function readFolder(relative: string): Promise<Entry[]> {
    const server = await connection();
    try {
      return await readDirectory(server, at(relative));
    } catch (error) {
      if (statusOf(error) === NO_SUCH_FILE) return [];
      throw sftpError(error, description, `listing ${at(relative)}`);
    }
  }

  async function removeIfEmpty(server: SftpConnection, folder: string): Promise<void> {
    try {
      await server.request<void>((sftp, done) => sftp.rmdir(at(folder), done));
      madeFolders.delete(folder);
    } catch (error) {
      if (statusOf(error) === undefined) throw error; // Any status: not empty, gone, or not allowed.
    }
  }

  /** SFTP has no status for a full disk; the free space shows it. */
  async function fullOr(server: SftpConnection, error: unknown, needed: number): Promise<never> {
    if (statusOf(error) === FAILURE) {
      const space = await freeSpace(server, root).catch(() => null);
      if (space && space.free < needed) throw storeFull(description, error);
    }
    throw error;
  }

  /** Each verb: errors in our words, and an end when the signal aborts. */
  function guard<T>(options: CallOptions, doing: string, work: (server: SftpConnection) => Promise<T>): Promise<T> {
    return endOnAbort(options.signal, async () => {
      try {
        return await work(await connection());
      } catch (error) {
        throw sftpError(error, description, doing);
      }
    });
  }

  return {
    description,
    async put(unchecked, source, options = {}) {
      const key = toKey(unchecked);
      return guard(options, `writing ${key}`, () => put(key, source, options));
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
      return guard(options, `looking at ${key}`, async (server) => {
        const found = await fileAt(server, key);
        return found && { key, ...found };
      });
    },
    async holds(unchecked, bytes, options = {}) {
      const key = toKey(unchecked);
      return guard(options, `checking ${key}`, async (server) => {
        const same = await holds(server, key, bytes);
        if (same) options.onBytes?.(bytes.size);
        return same;
      });
    },
    list: (prefix, { signal } = {}) => untilAborted(listTree(prefix, readFolder), signal),
    async delete(unchecked, options = {}) {
      const key = toKey(unchecked);
      return guard(options, `deleting ${key}`, async (server) => {
        await unlink(server, at(key));
        if (key.includes("/")) await removeIfEmpty(server, parentOf(key));
      });
    },
    async sweep(prefix, olderThanMs, options = {}) {
      checkPrefix(prefix);
      return guard(options, "sweeping", async (server) => {
        let removed = 0;
        for await (const file of listTemporary(prefix, new Date(Date.now() - olderThanMs), readFolder)) {
          throwIfAborted(options.signal);
          await unlink(server, at(file));
          await removeIfEmpty(server, parentOf(file));
          removed++;
        }
        return removed;
      });
    },
    async capacity(options = {}) {
      return guard(options, "asking for free space", (server) => freeSpace(server, root));
    },
    async close() {
      const last = current;
      current = undefined;
      await last?.then((server) => server.close()).catch(() => {}); // One that never came about needs no end.
    },
  };
}
