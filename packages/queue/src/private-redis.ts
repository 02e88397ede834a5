import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { codeOf, findReaper, TrivaultError } from "@trivault/core";
import { connectRedis, socketOf } from "./redis.ts";

/** Longest path of a Unix socket (sun_path) that every system takes. */
const MAX_SOCKET_PATH = 100;

/** Where the private Redis of a backup folder listens; also how the CLI finds it where REDIS_URL is not set. */
export function privateRedisUrl(backupDir: string): string {
  const near = path.join(backupDir, ".trivault/redis/redis.sock");
  if (Buffer.byteLength(near) <= MAX_SOCKET_PATH) return `unix:${near}`;
  const hash = createHash("sha256").update(backupDir).digest("hex").slice(0, 12);
  return `unix:${path.join(tmpdir(), `trivault-${process.getuid?.() ?? 0}-${hash}`, "redis.sock")}`;
}

export interface PrivateRedis {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * A redis-server of our own for a single machine: a socket that only this user can open, an append-only file under
 * BACKUP_DIR, no eviction. Where one already serves this folder (another process of ours) it is used and left running.
 */
export async function startPrivateRedis(backupDir: string): Promise<PrivateRedis> {
  const url = privateRedisUrl(backupDir);
  if (await answers(url)) return { url, stop: async () => undefined };
  const socket = socketOf(url);
  const data = path.join(backupDir, ".trivault/redis");
  await mkdir(data, { recursive: true, mode: 0o700 });
  await mkdir(path.dirname(socket), { recursive: true, mode: 0o700 });
  const settings = {
    port: "0",
    unixsocket: socket,
    unixsocketperm: "700",
    dir: data,
    appendonly: "yes",
    save: "",
    "maxmemory-policy": "noeviction",
    daemonize: "no",
  };
  const server = await launch(Object.entries(settings).flatMap(([key, value]) => [`--${key}`, value]));
  for (let tries = 0; tries < 100 && server.failure() === null; tries++) {
    if (await answers(url)) return { url, stop: () => server.stop() };
    await sleep(100);
  }
  const failure = server.failure() ?? "it does not answer";
  await server.stop();
  throw new TrivaultError(
    "QUEUE_UNREACHABLE",
    `redis-server could not be started under ${data}: ${failure} Install it (apt-get install redis-server, brew install redis), or set REDIS_URL.`,
    { permanent: true },
  );
}

interface Server {
  /** Why it is not running, or null. */
  failure(): string | null;
  stop(): Promise<void>;
}

/** In a process group of its own, so that Ctrl-C reaches us and not it; where we are killed, it ends as well. */
async function launch(args: readonly string[]): Promise<Server> {
  const [file = "redis-server", ...rest] = [...(await findReaper("TERM")), "redis-server", ...args];
  const child = spawn(file, rest, { stdio: ["ignore", "pipe", "pipe"], detached: true });
  const ended = Promise.withResolvers<void>();
  let said = "";
  let failure: string | null = null;
  const keep = (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-2000);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  child.once("error", (error) => {
    failure = codeOf(error) === "ENOENT" ? "it is not installed." : error.message;
    ended.resolve();
  });
  child.once("exit", (code, signal) => {
    failure ??= `it ended with ${signal ?? code}. ${said.trim().split("\n").slice(-3).join(" ")}`;
    ended.resolve();
  });
  return {
    failure: () => failure,
    async stop() {
      child.kill("SIGTERM");
      const hurry = setTimeout(() => child.kill("SIGKILL"), 10_000);
      await ended.promise;
      clearTimeout(hurry);
    },
  };
}

async function answers(url: string): Promise<boolean> {
  const redis = connectRedis(url, "fail-fast");
  try {
    return (await redis.ping()) === "PONG";
  } catch {
    return false; // nothing listens there, which is what was asked
  } finally {
    redis.disconnect();
  }
}
