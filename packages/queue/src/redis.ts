import { codeOf, hidePasswords, messageOf, TrivaultError, within } from "@trivault/core";
import { Redis, type RedisOptions } from "ioredis";

/**
 * A connection for commands (`fail-fast`: an unreachable Redis is an error at once, so that an API call never hangs) or
 * for workers (`wait`: BullMQ's blocking reads outlive a restart of Redis).
 */
export function connectRedis(url: string, mode: "fail-fast" | "wait"): Redis {
  const waits = mode === "wait";
  const options = {
    connectTimeout: 5000,
    maxRetriesPerRequest: waits ? null : 1,
    // A frozen server keeps its connections, so no retry ever fails; a blocking read may take its time.
    ...(waits ? {} : { commandTimeout: 4000 }),
    // After a fail-over the old master answers READONLY: reconnect, and send the command again.
    reconnectOnError: (error: Error): false | 2 => (error.message.startsWith("READONLY") ? 2 : false),
    // A command that waits for a connection fails with the next attempt, so those must come soon where it shall fail fast.
    retryStrategy: (times: number) => Math.min(times * 200, waits ? 5000 : 1000),
  } satisfies RedisOptions;
  const redis = url.startsWith("unix:") ? new Redis(socketOf(url), options) : new Redis(url, options);
  redis.on("error", () => undefined); // every command reports its own failure; an unheard 'error' would end the process
  return redis;
}

/** `unix:/srv/my backups/redis.sock` → the path, which a URL would show encoded. */
export function socketOf(url: string): string {
  return url.replace(/^unix:(?:\/\/)?/, "");
}

/** What BullMQ can work with (its `RedisConnection.minimumVersion`). */
const OLDEST = 5;

/**
 * Refuses a Redis that is not there, too old, or that may throw jobs away: with any `maxmemory-policy` but noeviction a
 * full Redis silently loses keys of the queues.
 */
export async function checkRedis(redis: Pick<Redis, "info">, url: string): Promise<void> {
  const shown = hidePasswords(url);
  let info: string;
  try {
    // Not CONFIG, which managed services forbid.
    info = await within(5000, redis.info());
  } catch (cause) {
    throw new TrivaultError(
      "QUEUE_UNREACHABLE",
      `Redis at ${shown} does not answer: ${messageOf(cause)}. Start it, or correct REDIS_URL; without REDIS_URL, \`npm start\` runs one of its own.`,
      { cause },
    );
  }
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? "unknown";
  if (policy !== "noeviction") {
    throw new TrivaultError(
      "QUEUE_UNSAFE",
      `Redis at ${shown} has maxmemory-policy ${policy}, so it may throw jobs away when its memory is full. Set it to noeviction (redis-cli CONFIG SET maxmemory-policy noeviction, and in redis.conf).`,
      { permanent: true },
    );
  }
  const version = /^redis_version:(\S+)/m.exec(info)?.[1] ?? "unknown";
  if (Number.parseInt(version, 10) < OLDEST) {
    throw new TrivaultError(
      "QUEUE_UNSAFE",
      `Redis at ${shown} is version ${version}, and ${OLDEST}.0 is the oldest that can keep the queues: upgrade it, or name a newer one in REDIS_URL.`,
      { permanent: true },
    );
  }
}

/** Whether Redis answers now; never waits for long. */
export async function redisAnswers(redis: Redis): Promise<boolean> {
  if (redis.status !== "ready") return false; // what is asked now would wait for the connection
  return within(2000, redis.ping()).then(
    () => true,
    () => false,
  );
}

/** True where Redis could not be asked, and not where it answered with an error. */
export function isConnectionError(error: unknown): boolean {
  if (!Error.isError(error)) return false;
  const byName = ["MaxRetriesPerRequestError", "AbortError", "ConnectionClosedError", "LateError"].includes(error.name);
  const text = /connection is closed|command timed out|stream isn't writeable|READONLY|LOADING/i.test(error.message);
  return byName || text || /^(?:ECONN|EPIPE|ENOTFOUND|ETIMEDOUT|EHOSTUNREACH|ENOENT)/.test(codeOf(error) ?? "");
}
