import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { connectRedis } from "@trivault/queue";
import { freePort, until } from "@trivault/testkit";

/** A redis-server with an append-only file (fsync each second, as by default), to be killed and started again. */
export interface RestartableRedis {
  readonly url: string;
  restart(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
  stop(): Promise<void>;
}

export async function startRestartableRedis(directory: string): Promise<RestartableRedis> {
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  const args = ["--bind", "127.0.0.1", "--port", String(port), "--dir", directory, "--save", "", "--appendonly", "yes"];
  const start = async () => {
    const child = spawn("redis-server", args, { stdio: "ignore" });
    await answers(url);
    return child;
  };
  let server = await start();
  return {
    url,
    async restart(signal) {
      await end(server, signal);
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

/** Resolves once it has loaded its file. */
async function answers(url: string): Promise<void> {
  const redis = connectRedis(url, "fail-fast");
  try {
    await until(() => redis.ping(), { seconds: 20, told: () => `redis-server at ${url} answers` });
  } finally {
    redis.disconnect();
  }
}
