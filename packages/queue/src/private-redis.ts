import { readlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  background,
  ensureFolder,
  ensureLinkedFolder,
  ensureStateFolder,
  type FileLock,
  type Logger,
  takeFileLock,
  TrivaultError,
} from "@trivault/core";
import {
  endOrphan,
  LOADS_WITHIN_MS,
  type OwnRedisServer,
  redisAnswersAt,
  startRedisServer,
  WHAT,
} from "./redis-server.ts";

/** Longest path of a Unix socket (sun_path) that every system takes. */
const MAX_SOCKET_PATH = 100;

/**
 * Where the private Redis of a backup folder listens; also how others find it where REDIS_URL is not set. Where that path
 * is too long, `.trivault/redis/socket` is a link to a folder of ours among the temporary files.
 */
export async function privateRedisUrl(backupDir: string): Promise<string> {
  const folder = path.join(backupDir, ".trivault/redis");
  const near = path.join(folder, "redis.sock");
  if (Buffer.byteLength(near) <= MAX_SOCKET_PATH) return `unix:${near}`;
  const link = path.join(folder, "socket");
  await ensureLinkedFolder(link, tmpdir(), "trivault-redis-", WHAT);
  return `unix:${path.join(await readlink(link), "redis.sock")}`;
}

export interface PrivateRedis {
  readonly url: string;
  /** Ends it, if it is ours; again is fine. */
  stop(): Promise<void>;
}

/** Time between two looks: is there an owner, and does its Redis run? After failures the time grows to the most. */
const LOOK_EVERY_MS = 1000;
const MOST_MS = 30_000;

/**
 * A redis-server of our own for a single machine: a socket that only this user can open, an append-only file under
 * BACKUP_DIR, no eviction. One process owns it (it holds `owner.db`, see takeFileLock); others of this folder use it, and
 * one of them takes over when the owner ends. Where it ends by itself it is started again.
 */
export async function startPrivateRedis(
  backupDir: string,
  log: Logger,
  patienceMs = LOADS_WITHIN_MS,
): Promise<PrivateRedis> {
  await ensureStateFolder(backupDir);
  const url = await privateRedisUrl(backupDir);
  const folder = path.join(backupDir, ".trivault/redis");
  const over = new AbortController();
  let lock: FileLock | null = null;
  let server: OwnRedisServer | null = null;

  const keep = async () => {
    if (server !== null) return;
    await ensureFolder(folder);
    lock ??= await takeFileLock(path.join(folder, "owner.db"), 0);
    if (lock === null) return;
    await endOrphan(url, folder);
    const started = await startRedisServer(url, folder);
    server = started;
    void started.ended.then((reason) => {
      server = null;
      if (!over.signal.aborted) log.error({ reason }, "the Redis of this machine ended by itself; it is started again");
    });
  };
  const keepAlways = async () => {
    for (let pause = LOOK_EVERY_MS; await passes(pause, over.signal);) {
      try {
        await keep();
        pause = LOOK_EVERY_MS;
      } catch (error) {
        log.error({ err: error }, "the Redis of this machine could not be started; it is tried again");
        pause = Math.min(pause * 2, MOST_MS);
      }
    }
  };
  const close = async () => {
    await server?.stop();
    lock?.release();
    lock = null;
  };

  try {
    // Where it has an owner that only now begins, or is about to end, this comes to a Redis that answers all the same.
    const deadline = Date.now() + patienceMs;
    for (await keep(); !(await redisAnswersAt(url)); await keep()) {
      if (Date.now() > deadline) throw silentOwner(folder);
      await sleep(100);
    }
  } catch (error) {
    await close();
    throw error;
  }
  const keeping = background(keepAlways());
  return {
    url,
    async stop() {
      over.abort();
      await keeping;
      await close();
    },
  };
}

function silentOwner(folder: string): TrivaultError {
  return new TrivaultError(
    "QUEUE_UNREACHABLE",
    `Another process of Trivault owns the Redis under ${folder}, which does not answer. See that process's log, or end it (npm start), then start again.`,
  );
}

/** False where the signal came first. */
const passes = (ms: number, signal: AbortSignal) => sleep(ms, true, { signal }).catch(() => false);
