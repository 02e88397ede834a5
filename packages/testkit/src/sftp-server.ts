import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import type { SftpTierConfig } from "@trivault/core";
import { freePort } from "./ports.ts";
import { endTree } from "./process-tree.ts";
import { findProgram } from "./programs.ts";
import type { TempDir } from "./temp.ts";
import { whenGone } from "./when-gone.ts";

/** A real server that speaks SFTP, with a key that it accepts and an empty folder. */
export interface SftpServer extends AsyncDisposable {
  readonly pid: number;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly keyFile: string;
  /** `SHA256:…` of the first host key, as `ssh-keygen -l` prints it. */
  readonly fingerprint: string;
  /** An empty folder, as SFTP names it. */
  readonly directory: string;
  /** The same folder on this machine's disk. */
  readonly folder: string;
  /** What the server logged so far. */
  log(): string;
  /** Ends the server with every session, and removes its folder; again is fine. */
  stop(): Promise<void>;
}

const run = promisify(execFile);

/** A tier in a folder of the server that is not there yet. */
export function sftpTierOf(server: SftpServer, changes: Partial<SftpTierConfig> = {}): SftpTierConfig {
  return {
    name: "remote",
    kind: "sftp",
    host: server.host,
    port: server.port,
    user: server.user,
    keyFile: server.keyFile,
    directory: path.posix.join(server.directory, "not/yet/there"),
    hostKey: { fingerprint: server.fingerprint },
    budget: null,
    origin: "environment",
    prices: {},
    ...changes,
  };
}

/** Between `freePort` and `bind` another process may take the port: then once more, with another. */
export async function onFreePort<T>(wanted: number | undefined, launch: (port: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await launch(wanted ?? (await freePort()));
    } catch (error) {
      if (attempt === 3 || !/address already in use/i.test(String(error))) throw error;
    }
  }
}

/** A new key pair; its public half, as a line of authorized_keys. */
export async function makeSshKey(file: string, type = "ed25519"): Promise<string> {
  const keygen = findProgram("ssh-keygen", "openssh-client");
  await run(keygen, ["-q", "-t", type, "-N", "", "-C", "trivault-test", "-f", file]);
  return (await readFile(`${file}.pub`, "utf8")).trim();
}

/** The fingerprint of a line such as `ssh-ed25519 AAAA… comment`. */
export function fingerprintOf(publicKey: string): string {
  const blob = Buffer.from(publicKey.split(" ")[1] ?? "", "base64");
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
}

/** Starts a child that serves from `dir` until it is stopped, and waits until its log or standard error holds `started`. */
export async function startServing(
  command: string,
  args: readonly string[],
  { dir, logFile, started }: { readonly dir: TempDir; readonly logFile: string; readonly started: string },
): Promise<Pick<SftpServer, "pid" | "log" | "stop">> {
  const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (text: Buffer) => (said += text.toString()));
  // Its sessions end with our connections.
  const isGone = whenGone(`kill -9 ${child.pid}`);
  const log = () => said + (existsSync(logFile) ? readFileSync(logFile, "utf8") : "");
  const stop = async () => {
    await endTree(child);
    await dir.remove();
    isGone();
  };
  try {
    await listening(child, started, log);
  } catch (error) {
    await stop();
    throw error;
  }
  return { pid: child.pid ?? 0, log, stop };
}

async function listening(child: ChildProcess, started: string, log: () => string): Promise<void> {
  let failure: unknown;
  child.once("error", (error) => (failure = error));
  for (let tries = 0; tries < 400; tries++) {
    if (failure !== undefined || child.exitCode !== null || child.signalCode !== null) break;
    // Its own log, not a connection: that would be one of the few unauthenticated ones that MaxStartups allows.
    if (log().includes(started)) return;
    await sleep(25);
  }
  throw new Error(`${path.basename(child.spawnfile)} did not start:\n${log()}`, { cause: failure });
}
