import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { connectRedis } from "@trivault/queue";
import { freePort, until, whenGone } from "@trivault/testkit";

/** A redis-server with an append-only file (fsync each second, as by default), to be killed and started again. */
export interface RestartableRedis {
  readonly url: string;
  /** Ends it; it is back after `awayMs`. */
  restart(signal: "SIGTERM" | "SIGKILL", awayMs?: number): Promise<void>;
  stop(): Promise<void>;
}

export async function startRestartableRedis(directory: string): Promise<RestartableRedis> {
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  const args = ["--bind", "127.0.0.1", "--port", String(port), "--dir", directory, "--save", "", "--appendonly", "yes"];
  const launch = () => {
    const child = spawn("redis-server", args, { stdio: "ignore" });
    child.once("exit", whenGone(`kill -9 ${child.pid}`));
    return child;
  };
  const start = () => started(url, launch);
  let server = await start();
  return {
    url,
    async restart(signal, awayMs = 0) {
      await end(server, signal);
      await sleep(awayMs);
      server = await start();
    },
    stop: () => end(server, "SIGTERM"),
  };
}

async function end(child: ChildProcess, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill(signal);
  await exited;
}

/** Resolves once it has loaded its file. While it was away somebody may have taken its port for a moment: then again. */
async function started(url: string, launch: () => ChildProcess): Promise<ChildProcess> {
  const redis = connectRedis(url, "fail-fast");
  let child = launch();
  try {
    await until(
      () => {
        if (child.exitCode !== null) child = launch();
        return redis.ping();
      },
      { seconds: 60, describe: () => `redis-server at ${url} answers` },
    );
    return child;
  } finally {
    redis.disconnect();
  }
}
