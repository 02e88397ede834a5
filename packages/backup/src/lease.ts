import { randomUUID } from "node:crypto";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { background, codeOf, TrivaultError, readOrNull } from "@trivault/core";

/**
 * A lease is a small file `<owner> <beat>` that its owner rewrites every second. Whoever else looks at it measures, on
 * its own monotonic clock, for how long the content has not changed: clocks of different hosts and steps of the system's
 * clock do not matter. It is the fence between workers that share files; Redis may be wiped without harm.
 *
 * Whoever takes it over puts a new file in its place, and an owner only ever writes into the file that it put there. So an owner
 * that was stopped anywhere, and wakes up after that, writes into a file without a name, and takes nothing back.
 */
/** Take-over times are several of these: fields.ts allows none under 5 s. */
const BEAT_MS = 1000;

export interface LeaseWatch {
  readonly file: string;
  silentMs(): Promise<number>;
}

export interface Lease {
  /** Throws ABANDONED where somebody took the lease over: this worker was silent for too long and must stop. */
  check(): Promise<void>;
  release(): Promise<void>;
}

interface LeaseOptions {
  readonly takeoverMs: number;
  readonly signal: AbortSignal;
  /** Called (once) when a beat finds that the lease went to somebody else or its folder is gone. */
  readonly onLost: (error: TrivaultError) => void;
  /** Time between two beats; a second unless given. */
  readonly beatMs?: number;
}

/** Takes the lease at `file`, waiting while another owner is alive. An owner silent for `takeoverMs` is dead. */
export async function acquireLease(file: string, options: LeaseOptions): Promise<Lease> {
  const watch = watchLease(file);
  for (;;) {
    options.signal.throwIfAborted();
    const lease = await tryAcquireLease(watch, options);
    if (lease) return lease;
    await sleep(100, undefined, { signal: options.signal });
  }
}

/**
 * Takes the lease that `watch` looks at, or answers null where another owner has it. That an owner is dead takes several
 * looks over time with the same `watch`.
 */
export async function tryAcquireLease(watch: LeaseWatch, options: LeaseOptions): Promise<Lease | null> {
  const { file } = watch;
  const owner = randomUUID();
  const created = await createExclusively(file, `${owner} 0`);
  if (created !== null) return keep({ file, owner, handle: created }, options);
  if ((await watch.silentMs()) < options.takeoverMs) return null;
  const handle = await replace(file, `${owner} 0`);
  try {
    // Two takers may have replaced it at once: the last rename won, and after a pause both see who that is.
    await sleep(200, undefined, { signal: options.signal });
    if ((await ownerOf(file)) === owner) return keep({ file, owner, handle }, options);
  } catch (error) {
    await handle.close();
    throw error;
  }
  await handle.close();
  return null;
}

interface Held {
  readonly file: string;
  readonly owner: string;
  /** The file that this owner put there, whatever lies under its name by now. */
  readonly handle: FileHandle;
}

function keep({ file, owner, handle }: Held, { onLost, beatMs = BEAT_MS }: LeaseOptions): Lease {
  let beat = 0;
  let pending: Promise<void> = Promise.resolve();
  const check = async () => {
    if ((await ownerOf(file)) !== owner) {
      throw new TrivaultError("ABANDONED", "This worker was silent for too long and another one took its work over.");
    }
  };
  const timer = setInterval(() => {
    pending = background(
      pending
        .then(check)
        .then(() => rewrite(handle, `${owner} ${++beat}`))
        .catch((error: unknown) => {
          clearInterval(timer);
          onLost(error instanceof TrivaultError ? error : lost(error));
        }),
    );
  }, beatMs);
  return {
    check,
    async release() {
      clearInterval(timer);
      await pending;
      await handle.close().catch(() => undefined);
      // Best effort: where the disk cannot be written, it falls silent instead. Stopped between the two, it takes away the lease of
      // whoever took over meanwhile, who then finds out and begins again.
      const ours = (await ownerOf(file).catch(() => null)) === owner;
      if (ours) await rm(file, { force: true }).catch(() => undefined);
    },
  };
}

/**
 * Watches a lease without wanting it: for how long has it been silent, as seen from here? A watcher that was itself held up
 * (a busy machine, SIGSTOP) saw nothing meanwhile, so each look adds at most the time of one beat. Look often.
 */
export function watchLease(file: string): LeaseWatch {
  let last: string | null = null;
  let silent = 0;
  let lookedAt = performance.now();
  return {
    file,
    async silentMs() {
      const content = await readOrNull(file);
      const now = performance.now();
      silent = content === last ? silent + Math.min(now - lookedAt, BEAT_MS) : 0;
      last = content;
      lookedAt = now;
      return silent;
    },
  };
}

function lost(cause: unknown): TrivaultError {
  if (codeOf(cause) === "ENOSPC" || codeOf(cause) === "EDQUOT") {
    const message = "The file system that holds BACKUP_DIR is full: not even the lease of this work could be renewed.";
    return new TrivaultError("STORE_FULL", `${message} Free space, enlarge it or keep fewer backups there.`, { cause });
  }
  return new TrivaultError("ABANDONED", "The lease of this backup could not be renewed; its folder may be gone.", {
    cause,
  });
}

async function ownerOf(file: string): Promise<string | null> {
  return (await readOrNull(file))?.split(" ")[0] ?? null;
}

/** Open, or null where there is one. */
async function createExclusively(file: string, content: string): Promise<FileHandle | null> {
  let handle: FileHandle;
  try {
    handle = await open(file, "wx", 0o600);
  } catch (error) {
    if (codeOf(error) === "EEXIST") return null;
    throw error;
  }
  try {
    await rewrite(handle, content);
    return handle;
  } catch (error) {
    await handle.close();
    await rm(file, { force: true }).catch(() => undefined); // an empty one would keep others waiting
    throw error;
  }
}

async function replace(file: string, content: string): Promise<FileHandle> {
  const temporary = `${file}.${randomUUID()}`;
  const handle = await open(temporary, "wx", 0o600);
  try {
    await rewrite(handle, content);
    await rename(temporary, file);
    return handle;
  } catch (error) {
    await handle.close();
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** In place: it never gets shorter, as beats only count up. */
async function rewrite(handle: FileHandle, content: string): Promise<void> {
  await handle.write(content, 0);
}
