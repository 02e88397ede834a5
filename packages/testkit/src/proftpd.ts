import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { findProgram } from "./programs.ts";
import { fingerprintOf, makeSshKey, onFreePort, type SftpServer, startServing } from "./sftp-server.ts";
import { makeTempDir } from "./temp.ts";

const run = promisify(execFile);

/**
 * ProFTPD with mod_sftp, for one user of its own (`backup`) with the rights of this process. It takes packets of 32 KiB,
 * runs no commands, and answers a rename onto a file that is there by a status of its own (11).
 */
export async function startProftpd(options: { readonly config?: readonly string[] } = {}): Promise<SftpServer> {
  return onFreePort(undefined, (port) => launch(options.config ?? [], port));
}

async function launch(config: readonly string[], port: number): Promise<SftpServer> {
  const program = findProgram("proftpd", "proftpd-mod-crypto");
  const dir = await makeTempDir("tv-proftpd");
  const at = (name: string) => path.join(dir.path, name);
  const hostKey = await makeSshKey(at("host"));
  await makeSshKey(at("client"));
  const { stdout } = await run(findProgram("ssh-keygen", "openssh-client"), ["-e", "-f", at("client.pub")]);
  await writeFile(at("authorized"), stdout, { mode: 0o600 });
  await mkdir(at("server"), { mode: 0o700 });
  const { uid, gid, username } = userInfo();
  await writeFile(at("passwd"), `backup:x:${uid}:${gid}::${at("server")}:/bin/sh\n`, { mode: 0o600 });
  await writeFile(at("group"), `backup:x:${gid}:backup\n`, { mode: 0o600 });
  const lines = [
    "LoadModule mod_sftp.c",
    "ServerType standalone",
    "DefaultAddress 127.0.0.1",
    `Port ${port}`,
    "SocketBindTight on",
    "UseIPv6 off",
    "UseReverseDNS off",
    // Names that the system knows: they are read before the files below.
    `User ${username}`,
    `Group ${(await run("id", ["-gn"])).stdout.trim()}`,
    // Else every server makes its socket in the same system folder.
    `ControlsSocket ${at("ctrls.sock")}`,
    `PidFile ${at("pid")}`,
    "ScoreboardFile none",
    `SystemLog ${at("proftpd.log")}`,
    "WtmpLog off",
    "TransferLog none",
    "DelayEngine off",
    "MaxInstances none",
    "AuthPAM off",
    "AuthOrder mod_auth_file.c",
    `AuthUserFile ${at("passwd")}`,
    `AuthGroupFile ${at("group")}`,
    "RequireValidShell off",
    "UseFtpUsers off",
    "RootLogin on",
    "SFTPEngine on",
    `SFTPLog ${at("sftp.log")}`,
    `SFTPHostKey ${at("host")}`,
    "SFTPAuthMethods publickey",
    `SFTPAuthorizedUserKeys file:${at("authorized")}`,
    ...config,
  ];
  await writeFile(at("proftpd.conf"), `${lines.join("\n")}\n`);
  const { pid, log, stop } = await startServing(program, ["--nodaemon", "--config", at("proftpd.conf")], {
    dir,
    logFile: at("proftpd.log"),
    started: "standalone mode STARTUP",
  });
  return {
    pid,
    host: "127.0.0.1",
    port,
    user: "backup",
    keyFile: at("client"),
    fingerprint: fingerprintOf(hostKey),
    directory: at("server"),
    folder: at("server"),
    log,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
