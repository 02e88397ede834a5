import { rm } from "node:fs/promises";
import path from "node:path";
import { pgDump } from "./floor.ts";
import { type Measured, type Program, runPipeline } from "./pipeline.ts";
import type { Source } from "./source.ts";
import type { Targets } from "./targets.ts";
import { emptyServerFolder, rcloneProgram, sftpProgram, sshOptions } from "./uploads.ts";

/** What others do for three copies, each step by itself. */
export interface PeersMeasured {
  /** `pg_dump | restic backup --stdin`, three times over: into a local, an SFTP and an S3 repository. */
  readonly restic: Readonly<Record<"local" | "sftp" | "s3", Measured>>;
  /** GoBackup's method: `pg_dump | gzip | openssl` into a file, which is then uploaded to one place after the other. */
  readonly gobackup: Readonly<Record<"dump" | "sftp" | "s3", Measured>>;
}

export async function measurePeers(source: Source, targets: Targets): Promise<PeersMeasured> {
  return { restic: await runRestic(source, targets), gobackup: await runGobackup(source, targets) };
}

export function peerSeconds({ restic, gobackup }: PeersMeasured): { restic: number; gobackup: number } {
  const total = (steps: Readonly<Record<string, Measured>>) =>
    Object.values(steps).reduce((sum, { seconds }) => sum + seconds, 0);
  return { restic: total(restic), gobackup: total(gobackup) };
}

/** Each repository is made before the time runs, empty: no backup before it has the same chunks. */
async function runRestic(source: Source, targets: Targets): Promise<PeersMeasured["restic"]> {
  const { sshd, ceph, bucket } = targets;
  const local = path.join(source.folder, "restic");
  const remote = path.join(sshd.directory, "restic");
  const ssh = ["ssh", ...sshOptions(targets), `${sshd.user}@${sshd.host}`, "-s", "sftp"].join(" ");
  const into = async (repository: readonly string[]): Promise<Measured> => {
    const restic = (...args: string[]): Program => ({
      file: "restic",
      args: ["-q", "--no-cache", ...repository, ...args],
      env: {
        RESTIC_PASSWORD: "bench",
        AWS_ACCESS_KEY_ID: ceph.accessKey,
        AWS_SECRET_ACCESS_KEY: ceph.secretKey,
        AWS_CA_BUNDLE: undefined,
      },
    });
    await runPipeline([restic("init", "--repository-version", "2")]);
    // Uncompressed, as restic compresses by itself.
    return runPipeline([pgDump(source, ["-Fc", "-Z0"]), restic("backup", "--stdin", "--stdin-filename", "shop.dump")]);
  };
  try {
    return {
      local: await into(["-r", local]),
      sftp: await into(["-r", `sftp:${sshd.user}@${sshd.host}:${remote}`, "-o", `sftp.command=${ssh}`]),
      s3: await into(["-r", `s3:${ceph.endpoint}/${bucket}/script`]),
    };
  } finally {
    await rm(local, { recursive: true, force: true });
    await rm(remote, { recursive: true, force: true });
    await runPipeline([await rcloneProgram(targets, source.folder, ["purge"])]);
  }
}

async function runGobackup(source: Source, targets: Targets): Promise<PeersMeasured["gobackup"]> {
  const file = path.join(source.folder, "gobackup.sql.gz.enc");
  try {
    const dump = await runPipeline(
      [
        pgDump(source, []),
        { file: "gzip", args: [] },
        {
          file: "openssl",
          args: ["enc", "-aes-256-cbc", "-salt", "-pbkdf2", "-pass", "env:BENCH_PASSWORD"],
          env: { BENCH_PASSWORD: "bench" },
        },
      ],
      { output: file },
    );
    const sftp = await runPipeline([await sftpProgram(targets, source.folder, [file])]);
    const s3 = await runPipeline([await rcloneProgram(targets, source.folder, ["copyto", file])]);
    await runPipeline([await rcloneProgram(targets, source.folder, ["purge"])]);
    return { dump, sftp, s3 };
  } finally {
    await rm(file, { force: true });
    await emptyServerFolder(targets, [file]);
  }
}
