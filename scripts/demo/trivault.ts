import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "@trivault/testkit";
import type { Surroundings } from "./surroundings.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");

export type Env = Record<string, string>;

/** The settings an operator would write into `.env`, and what the npm S3 server lacks: hash checks and large objects. */
export function settingsFor({ folder, remote, cloud }: Surroundings, databaseUrl: string, port: number): Env {
  return {
    DATABASE_URL: databaseUrl,
    BACKUP_DIR: path.join(folder, "backups"),
    BACKUP_REMOTE_SERVER: `${remote.host}:${remote.port}`,
    BACKUP_SSH_USER: remote.user,
    BACKUP_SSH_KEY: remote.keyFile,
    BACKUP_SSH_HOST_KEY: remote.fingerprint,
    BACKUP_REMOTE_DIR: remote.directory,
    BACKUP_CLOUD_PROVIDER: "aws",
    BACKUP_S3_BUCKET: cloud.bucket,
    BACKUP_S3_ENDPOINT: cloud.endpoint,
    BACKUP_CLOUD_REGION: "us-east-1",
    BACKUP_S3_VERIFY: "readback",
    BACKUP_S3_CONDITIONAL_PUT: "false",
    BACKUP_SEGMENT_SIZE: "8MiB",
    BACKUP_IDENTITY_FILE: path.join(folder, "identity.txt"),
    BACKUP_API_PORT: String(port),
    BACKUP_API_OPEN: "true",
    BACKUP_SCHEDULE: "off",
    AWS_ACCESS_KEY_ID: "demo",
    AWS_SECRET_ACCESS_KEY: "demo-secret",
    LOG_LEVEL: "warn",
  };
}

/** `npm run backup:keys:generate`: returns the recipient. */
export async function generateKeys(env: Env): Promise<string> {
  const keys = await cli<{ recipient: string }>(env, [
    "keys",
    "generate",
    "--identity-file",
    env["BACKUP_IDENTITY_FILE"] ?? "",
  ]);
  return keys.recipient;
}

export interface Running extends AsyncDisposable {
  readonly url: string;
}

/** `npm start`: the API, all workers and a Redis of their own in one process. */
export async function startTrivault(env: Env): Promise<Running> {
  const url = `http://127.0.0.1:${env["BACKUP_API_PORT"]}`;
  const child = spawn(process.execPath, [path.join(ROOT, "apps/api/src/start.js")], {
    cwd: env["BACKUP_DIR"] === undefined ? ROOT : path.dirname(env["BACKUP_DIR"]),
    env: { ...cleanEnv(), ...env },
    stdio: ["ignore", "ignore", "inherit"],
    detached: true, // Ctrl-C reaches us first, and we end it in order
  });
  const exited = once(child, "exit");
  for (let tries = 0; !(await healthy(url)); tries++) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error("`npm start` ended at once; see above");
    if (tries > 300) throw new Error(`${url}/healthz did not answer within 30 s`);
    await sleep(100);
  }
  return { url, [Symbol.asyncDispose]: () => stop(child, exited) };
}

/** One command of the CLI, with `--json`; what it draws goes to stderr. Throws where its exit status is not 0. */
export async function cli<T>(env: Env, args: readonly string[], show = false): Promise<T> {
  const child = spawn(process.execPath, [path.join(ROOT, "apps/cli/src/main.js"), ...args, "--json"], {
    cwd: ROOT,
    env: { ...cleanEnv(), ...env },
    stdio: ["ignore", "pipe", show ? "inherit" : "pipe"],
  });
  let out = "";
  let said = "";
  child.stdout?.on("data", (chunk: Buffer) => (out += chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const [status] = (await once(child, "close")) as [number | null];
  if (status !== 0) throw new Error(`\`trivault ${args.join(" ")}\` ended with ${status}. ${said.trim()}`);
  return JSON.parse(out) as T;
}

/** The demo's own settings only: none of the user's reach it. */
function cleanEnv(): Env {
  const foreign = /^(?:BACKUP_|WORKER_|AWS_|PG|DATABASE_URL$|REDIS_URL$|LOG_LEVEL$)/;
  return Object.fromEntries(
    Object.entries(process.env).filter(([name, value]) => value !== undefined && !foreign.test(name)),
  ) as Env;
}

async function healthy(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(1000) })).ok;
  } catch {
    return false; // not up yet
  }
}

async function stop(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
  const hurry = setTimeout(() => child.kill("SIGKILL"), 40_000);
  await exited;
  clearTimeout(hurry);
}

export function choosePort(): Promise<number> {
  return freePort();
}
