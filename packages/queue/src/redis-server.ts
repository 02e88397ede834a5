import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { codeOf, ensurePrivateFolder, findReaper, messageOf, TrivaultError, withPrivateUmask } from "@trivault/core";
import { connectRedis, isConnectionError, socketOf } from "./redis.ts";

/** A redis-server that this process started. */
export interface OwnRedisServer {
  /** Resolves with why it ended, whoever ended it. */
  readonly ended: Promise<string>;
  stop(): Promise<void>;
}

/** How long a redis-server may take to load its file, and to write it before it ends. */
export const LOADS_WITHIN_MS = 60_000;
const ENDS_WITHIN_MS = 10_000;
export const WHAT = "The Redis of this machine (under BACKUP_DIR)";

/** Starts one at `url` (a Unix socket) with its files in `folder`, and waits until it answers. */
export async function startRedisServer(url: string, folder: string): Promise<OwnRedisServer> {
  const socket = socketOf(url);
  await ensurePrivateFolder(folder, WHAT);
  await ensurePrivateFolder(path.dirname(socket), WHAT);
  const settings = {
    port: "0",
    unixsocket: socket,
    unixsocketperm: "700",
    dir: folder,
    pidfile: pidFile(folder),
    appendonly: "yes",
    save: "",
    "maxmemory-policy": "noeviction",
    daemonize: "no",
  };
  const server = await launch(Object.entries(settings).flatMap(([key, value]) => [`--${key}`, value]));
  const deadline = Date.now() + LOADS_WITHIN_MS;
  let failure: string | null = null;
  while (failure === null) {
    if (await redisAnswersAt(url)) return server;
    failure = await Promise.race([server.ended, sleep(50, null)]);
    if (Date.now() > deadline) failure ??= "it does not answer.";
  }
  await server.stop();
  throw new TrivaultError(
    "QUEUE_UNREACHABLE",
    `redis-server could not be started under ${folder}: ${failure} Install it (apt-get install redis-server, brew install redis), or set REDIS_URL.`,
    { permanent: true },
  );
}

/**
 * Ends a redis-server of this folder whose owner is gone, and waits until its process is: it would write to the same files,
 * and remove the socket of the next one when it ends.
 */
export async function endOrphan(url: string, folder: string): Promise<void> {
  const pid = Number(await readFile(pidFile(folder), "utf8").catch(() => ""));
  if (await redisAnswersAt(url)) await shutDown(url);
  for (
    const deadline = Date.now() + ENDS_WITHIN_MS;
    (await serves(pid, socketOf(url))) || (await redisAnswersAt(url));
    await sleep(50)
  ) {
    if (Date.now() < deadline) continue;
    throw new TrivaultError(
      "QUEUE_UNREACHABLE",
      `A redis-server that nobody owns any more (process ${pid}) serves ${folder} and does not end. End it (kill ${pid}), then start again.`,
    );
  }
}

/** That it no longer answers is not enough: it still writes then. After a power cut the id may be any program's. */
async function serves(pid: number, socket: string): Promise<boolean> {
  if (!(pid > 0)) return false;
  const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => ""); // gone, or macOS, where answers must do
  return command.includes("redis-server") && command.includes(socket);
}

export async function redisAnswersAt(url: string): Promise<boolean> {
  const redis = connectRedis(url, "fail-fast");
  try {
    return (await redis.ping()) === "PONG";
  } catch {
    return false; // nothing listens there, which is what was asked
  } finally {
    redis.disconnect();
  }
}

const pidFile = (folder: string) => path.join(folder, "redis.pid");

async function shutDown(url: string): Promise<void> {
  const redis = connectRedis(url, "fail-fast");
  try {
    await redis.shutdown();
  } catch (error) {
    if (!isConnectionError(error)) throw error; // it closes the connection instead of an answer
  } finally {
    redis.disconnect();
  }
}

/** In a process group of its own, so that Ctrl-C reaches us and not it; where we are killed, it ends as well. */
async function launch(args: readonly string[]): Promise<OwnRedisServer> {
  const [file = "redis-server", ...rest] = [...(await findReaper("TERM")), "redis-server", ...args];
  const child = withPrivateUmask(() => spawn(file, rest, { stdio: ["ignore", "pipe", "pipe"], detached: true }));
  const ended = Promise.withResolvers<string>();
  let said = "";
  const keep = (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-2000);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  child.once("error", (error) => ended.resolve(codeOf(error) === "ENOENT" ? "it is not installed." : messageOf(error)));
  child.once("exit", (code, signal) =>
    ended.resolve(`it ended with ${signal ?? code}. ${said.trim().split("\n").slice(-3).join(" ")}`),
  );
  return {
    ended: ended.promise,
    async stop() {
      child.kill("SIGTERM");
      const hurry = setTimeout(() => child.kill("SIGKILL"), ENDS_WITHIN_MS);
      await ended.promise;
      clearTimeout(hurry);
    },
  };
}
