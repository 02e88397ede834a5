import { mkdir } from "node:fs/promises";
import path from "node:path";
import { findProgram } from "./programs.ts";
import { fingerprintOf, makeSshKey, onFreePort, type SftpServer, startServing } from "./sftp-server.ts";
import { makeTempDir } from "./temp.ts";

/**
 * `rclone serve sftp` of a folder. It knows no fsync, reports no free space, reads no file that it writes, opens a file that is
 * there in spite of O_EXCL, answers hard links with "done" and makes none, and its rename replaces.
 */
export async function startRcloneSftp(): Promise<SftpServer> {
  return onFreePort(undefined, launch);
}

async function launch(port: number): Promise<SftpServer> {
  const program = findProgram("rclone", "rclone");
  const dir = await makeTempDir("tv-rclone");
  const at = (name: string) => path.join(dir.path, name);
  const [hostKey] = await Promise.all([makeSshKey(at("host")), makeSshKey(at("client"))]);
  await mkdir(at("server"), { mode: 0o700 });
  const options = {
    "--addr": `127.0.0.1:${port}`,
    "--user": "backup",
    "--key": at("host"),
    "--authorized-keys": at("client.pub"),
    "--config": at("rclone.conf"),
    "--cache-dir": at("cache"),
    "--log-file": at("rclone.log"),
    "--log-level": "INFO",
    // What a test puts into the folder behind its back is seen at once.
    "--dir-cache-time": "0s",
  };
  const args = ["serve", "sftp", at("server"), ...Object.entries(options).flat()];
  const { pid, log, stop } = await startServing(program, args, {
    dir,
    logFile: at("rclone.log"),
    started: `SFTP server listening on 127.0.0.1:${port}`,
  });
  return {
    pid,
    host: "127.0.0.1",
    port,
    user: "backup",
    keyFile: at("client"),
    fingerprint: fingerprintOf(hostKey),
    directory: "/",
    folder: at("server"),
    log,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
