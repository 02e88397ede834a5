import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Program } from "./pipeline.ts";
import type { Targets } from "./targets.ts";

/** The programs that a script uploads with, as they are without any tuning. */

/** `sftp` with a batch of puts into the server's folder. `folder` is where the batch file goes. */
export async function sftpProgram(targets: Targets, folder: string, files: readonly string[]): Promise<Program> {
  const { sshd } = targets;
  const batch = path.join(folder, "sftp.batch");
  await writeFile(batch, files.map((file) => `put ${file} ${sshd.directory}/${path.basename(file)}\n`).join(""));
  return { file: "sftp", args: ["-q", "-b", batch, ...sshOptions(targets), `${sshd.user}@${sshd.host}`] };
}

/** A command on the SFTP server. */
export function sshProgram(targets: Targets, command: string): Program {
  const { sshd } = targets;
  return { file: "ssh", args: ["-q", ...sshOptions(targets), `${sshd.user}@${sshd.host}`, command] };
}

/** As ssh and sftp alike understand them. */
export function sshOptions({ sshd }: Targets): string[] {
  const options = ["BatchMode=yes", "IdentitiesOnly=yes", `UserKnownHostsFile=${sshd.knownHostsFile}`];
  return ["-F", "none", "-i", sshd.keyFile, ...[`Port=${sshd.port}`, ...options].flatMap((each) => ["-o", each])];
}

export async function emptyServerFolder(targets: Targets, files: readonly string[]): Promise<void> {
  for (const file of files) await rm(path.join(targets.sshd.directory, path.basename(file)), { force: true });
}

/** Name of the bench's bucket in rclone's notation. */
const REMOTE = "bench";

/** `rclone`, whose configuration with the secret key is written into `folder`. */
export async function rcloneProgram(targets: Targets, folder: string, command: RcloneCommand): Promise<Program> {
  const config = path.join(folder, "rclone.conf");
  const { endpoint, accessKey, secretKey } = targets.ceph;
  const lines = [
    `[${REMOTE}]`,
    "type = s3",
    "provider = Ceph",
    `endpoint = ${endpoint}`,
    `access_key_id = ${accessKey}`,
    `secret_access_key = ${secretKey}`,
  ];
  await writeFile(config, `${lines.join("\n")}\n`, { mode: 0o600 });
  const [verb, what] = command;
  const there = `${REMOTE}:${targets.bucket}/script`;
  const to = verb === "copyto" || verb === "rcat" ? `${there}/${path.basename(what)}` : there;
  return {
    file: "rclone",
    args: ["--config", config, "-q", verb, ...(verb === "copyto" || verb === "copy" ? [what] : []), to],
    // rclone 1.60 refuses to start its S3 backend where this is set.
    env: { AWS_CA_BUNDLE: undefined },
  };
}

/** `copyto` a file, `copy` a folder, `rcat` what comes to a name, or `purge` what was copied. */
export type RcloneCommand = ["copyto" | "copy" | "rcat", string] | ["purge"];
