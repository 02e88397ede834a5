import { background } from "@trivault/core";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { childReady } from "./child-ready.ts";
import { freePort } from "./ports.ts";
import { makeTempDir } from "./temp.ts";
import { whenGone } from "./when-gone.ts";

export interface RedisServer extends AsyncDisposable {
  /** `redis://127.0.0.1:<port>` */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Ends the server (SIGTERM, then SIGKILL) and removes its folder; again is fine. */
  stop(): Promise<void>;
}

/**
 * A real redis-server on a free port, in a folder of its own, that never evicts (`noeviction`) and writes nothing to disk.
 * `args` come last and win: `["--maxmemory-policy", "allkeys-lru"]`, `["--appendonly", "yes"]`.
 */
export async function startRedis(
  options: { readonly args?: readonly string[]; readonly port?: number } = {},
): Promise<RedisServer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await launch(options.args ?? [], options.port);
    } catch (error) {
      // Between freePort and bind another process may take the port.
      if (attempt === 3 || options.port !== undefined || !String(error).includes("Address already in use")) throw error;
    }
  }
}

async function launch(extra: readonly string[], wanted: number | undefined): Promise<RedisServer> {
  const port = wanted ?? (await freePort());
  const dir = await makeTempDir("tv-redis");
  const settings = ["--bind", "127.0.0.1", "--port", String(port), "--dir", dir.path, "--daemonize", "no"];
  const args = [...settings, "--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction", ...extra];
  const child = spawn("redis-server", args, { stdio: ["ignore", "pipe", "pipe"] });
  const isGone = whenGone(`kill -9 ${child.pid}`);

  const onExit = (code: number | null, signal: NodeJS.Signals | null) =>
    process.stderr.write(`the test's redis-server on port ${port} ended by itself, with ${signal ?? code}\n`);
  const stop = async () => {
    child.off("exit", onExit);
    await end(child);
    await dir.remove();
    isGone();
  };
  try {
    await childReady(child, "redis-server", "Ready to accept connections");
  } catch (error) {
    await stop();
    throw error;
  }
  child.once("exit", onExit);
  return { url: `redis://127.0.0.1:${port}`, port, pid: child.pid ?? 0, stop, [Symbol.asyncDispose]: stop };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = background(once(child, "exit"));
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 5000);
  await exited;
  clearTimeout(timer);
}
