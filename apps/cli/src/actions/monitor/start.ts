import { spawn } from "node:child_process";
import path from "node:path";
import { findReaper, TrivaultError } from "@trivault/core";
import { EXIT } from "../../exit-codes.ts";
import { print, say } from "../../output.ts";
import type { Running } from "../../perform.ts";

/** The API's own program: the dashboard is a part of it. */
const API = path.resolve(import.meta.dirname, "../../../../api/src/main.js");

/**
 * Runs the API until it ends or we are asked to end. In a process group of its own, so that Ctrl-C reaches it through us alone, and
 * once; where we are killed, it ends as well.
 */
export async function startMonitor({ signal }: Running): Promise<number> {
  const [reaper, ...options] = await findReaper("TERM");
  const [file, rest] = reaper === undefined ? [process.execPath, [API]] : [reaper, [...options, process.execPath, API]];
  const child = spawn(file, rest, { stdio: ["ignore", "inherit", "inherit", "ipc"], detached: true });
  const ended = Promise.withResolvers<number>();
  child.once("error", ended.reject);
  child.once("exit", (code, by) => {
    if (code !== null) ended.resolve(code);
    else ended.reject(new TrivaultError("ABANDONED", `The dashboard was ended by ${by}. Start it again.`));
  });
  child.on("message", (message) => {
    const url = textIn(message, "url");
    if (url !== null) print(`Dashboard  ${url}/`);
    const token = textIn(message, "firstTokenFile");
    if (token !== null) say(`The first visit asks for the token in ${token}`);
  });
  const stop = () => child.kill("SIGTERM");
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  try {
    return (await ended.promise) === 0 ? EXIT.ok : EXIT.failed;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

function textIn(message: unknown, name: "url" | "firstTokenFile"): string | null {
  const { [name]: text } = (typeof message === "object" && message !== null ? message : {}) as Record<string, unknown>;
  return typeof text === "string" ? text : null;
}
