import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";

const API = path.resolve(import.meta.dirname, "../../apps/api/src/main.js");

export interface RunningApi {
  readonly url: string;
  stop(): Promise<void>;
}

/** The API as a program of its own; resolves when it answers. */
export async function startSiteApi(env: Readonly<Record<string, string>>): Promise<RunningApi> {
  const child = spawn(process.execPath, [API], {
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = once(child, "exit");
  let said = "";
  const ready = Promise.withResolvers<string>();
  child.stderr.on("data", (chunk: Buffer) => {
    said += chunk.toString();
    const url = /"url":"(http:[^"]+)","msg":"API ready"/.exec(said)?.[1];
    if (url !== undefined) ready.resolve(url);
  });
  child.once("exit", () => ready.reject(new Error(`the API ended: ${said}`)));
  return {
    url: await ready.promise,
    async stop() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}
