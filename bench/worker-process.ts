import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { argumentsOf } from "./npm-scripts.ts";
import type { Source } from "./source.ts";
import type { Targets } from "./targets.ts";

/** Everything but the databases: three tiers, and no schedule. */
export function siteEnvironment(
  source: Source,
  { sshd, ceph, bucket }: Targets,
  folders: { backupDir: string; spoolDir: string },
): Record<string, string> {
  return {
    REDIS_URL: source.redis.url,
    BACKUP_DIR: folders.backupDir,
    BACKUP_SPOOL_DIR: folders.spoolDir,
    BACKUP_SCHEDULE: "off",
    BACKUP_PG_BIN_DIR: source.postgres.binDir,
    BACKUP_REMOTE_SERVER: `${sshd.host}:${sshd.port}`,
    BACKUP_SSH_USER: sshd.user,
    BACKUP_SSH_KEY: sshd.keyFile,
    BACKUP_SSH_HOST_KEY: sshd.fingerprint,
    BACKUP_REMOTE_DIR: path.join(sshd.directory, "trivault"),
    BACKUP_CLOUD_PROVIDER: "aws",
    BACKUP_S3_BUCKET: bucket,
    BACKUP_S3_ENDPOINT: ceph.endpoint,
    AWS_ACCESS_KEY_ID: ceph.accessKey,
    AWS_SECRET_ACCESS_KEY: ceph.secretKey,
    BACKUP_ENCRYPTION_RECIPIENTS: source.recipient,
    BACKUP_IDENTITY_FILE: source.identityFile,
  };
}

export interface WorkerProcess extends AsyncDisposable {
  readonly pid: number;
  ended(): boolean;
  /** With the last lines of its log. */
  failure(what: string): Error;
}

/** A worker as an operator starts it; it takes every queue. */
export function startWorkerProcess(env: Readonly<Record<string, string>>, profileDir: string | null): WorkerProcess {
  const profiling = profileDir === null ? [] : ["--cpu-prof", `--cpu-prof-dir=${path.resolve(profileDir)}`];
  const child = spawn(process.execPath, [...profiling, ...argumentsOf("worker")], {
    // A folder without an .env file.
    cwd: env["BACKUP_DIR"],
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  for (const output of [child.stdout, child.stderr]) {
    output.setEncoding("utf8").on("data", (text: string) => (log = (log + text).slice(-8000)));
  }
  const exited = once(child, "close");
  const ended = () => child.exitCode !== null || child.signalCode !== null;
  const killNow = () => child.kill("SIGKILL");
  process.once("exit", killNow);
  return {
    pid: child.pid ?? 0,
    ended,
    failure: (what) => new Error(`The worker ${what}. Its log ends with:\n${log}`),
    async [Symbol.asyncDispose]() {
      if (!ended()) child.kill("SIGTERM");
      const timer = setTimeout(killNow, 40_000);
      await exited;
      clearTimeout(timer);
      process.off("exit", killNow);
    },
  };
}
