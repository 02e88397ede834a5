import { execFile } from "node:child_process";
import { cpus, release, totalmem } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { findProgram } from "@trivault/testkit";
import { VERSION } from "@trivault/backup";

const run = promisify(execFile);

/** What the figures were measured on and with. */
export interface Machine {
  readonly processor: string;
  readonly processors: number;
  readonly memoryBytes: number;
  readonly kernel: string;
  /** Of this source tree; `+` where it holds changes beyond it. Null where there is no git. */
  readonly commit: string | null;
  readonly versions: Readonly<Record<string, string>>;
}

export async function describeMachine(pgBinDir: string): Promise<Machine> {
  const [cpu] = cpus();
  return {
    processor: cpu?.model ?? "unknown",
    processors: cpus().length,
    memoryBytes: totalmem(),
    kernel: release(),
    commit: await commitOfTree(),
    versions: {
      trivault: VERSION,
      node: process.versions.node,
      postgres: await versionOf(path.join(pgBinDir, "pg_dump"), ["--version"]),
      zstd: await versionOf("zstd", ["--version"]),
      age: await versionOf("age", ["--version"]),
      openssh: await versionOf("ssh", ["-V"]),
      rclone: await versionOf("rclone", ["version"]),
      ceph: await versionOf(findProgram("radosgw", "radosgw"), ["--version"]),
      redis: await versionOf("redis-server", ["--version"]),
    },
  };
}

async function commitOfTree(): Promise<string | null> {
  const git = (...args: string[]) => run("git", ["-C", import.meta.dirname, ...args]);
  try {
    const { stdout: commit } = await git("rev-parse", "--short", "HEAD");
    const { stdout: changes } = await git("status", "--porcelain", "--untracked-files=no");
    return commit.trim() + (changes === "" ? "" : "+");
  } catch {
    return null;
  }
}

async function versionOf(file: string, args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await run(file, args);
  return /\d+\.\d+[\w.]*/.exec(stdout + stderr)?.[0] ?? "unknown";
}
