import { mkdirSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import path from "node:path";
import { findProgram } from "./programs.ts";
import { fingerprintOf, makeSshKey, onFreePort, type SftpServer, startServing } from "./sftp-server.ts";
import { makeTempDir } from "./temp.ts";

/** It lets nobody in but the user that runs this process, and logs at VERBOSE. */
export interface Sshd extends SftpServer {
  readonly knownHostsFile: string;
}

export interface SshdOptions {
  readonly hostKeyTypes?: readonly ("ed25519" | "ecdsa" | "rsa")[];
  /** Lines of sshd_config(5), such as `ForceCommand internal-sftp`. */
  readonly config?: readonly string[];
  readonly port?: number;
  /** Where it listens; 127.0.0.1 unless set. */
  readonly host?: string;
  /** A network namespace (ip-netns(8)) to run in; needs root. */
  readonly netns?: string;
}

/** A real OpenSSH server for the present user, on a free port, with host and client keys of its own. */
export async function startSshd(options: SshdOptions = {}): Promise<Sshd> {
  return onFreePort(options.port, (port) => launch(options, port));
}

async function launch(options: SshdOptions, port: number): Promise<Sshd> {
  const { hostKeyTypes = ["ed25519"], config = [], host = "127.0.0.1", netns } = options;
  // sshd starts itself anew for each connection, and so insists on an absolute path.
  const program = findProgram("sshd", "openssh-server");
  const dir = await makeTempDir("tv-sshd");
  const at = (name: string) => path.join(dir.path, name);

  const hostKeys = await Promise.all(hostKeyTypes.map((type) => makeSshKey(at(`host_${type}`), type)));
  await writeFile(at("authorized_keys"), `${await makeSshKey(at("client"))}\n`, { mode: 0o600 });
  await writeFile(at("known_hosts"), hostKeys.map((key) => `[${host}]:${port} ${key}\n`).join(""));
  await mkdir(at("server"), { mode: 0o700 });
  const user = userInfo().username;
  const lines = [
    `Port ${port}`,
    `ListenAddress ${host}`,
    ...hostKeyTypes.map((type) => `HostKey ${at(`host_${type}`)}`),
    "PidFile none",
    `AuthorizedKeysFile ${at("authorized_keys")}`,
    // The temporary folder lies under /tmp, which everyone may write to.
    "StrictModes no",
    "UsePAM no",
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    "PermitRootLogin prohibit-password",
    `AllowUsers ${user}`,
    "PrintMotd no",
    // Keeps bash from running this user's ~/.bashrc, as it does for commands over SSH when it is not in another shell.
    "SetEnv SHLVL=1",
    "LogLevel VERBOSE",
    "Subsystem sftp internal-sftp",
    ...config,
  ];
  await writeFile(at("sshd_config"), `${lines.join("\n")}\n`);
  // Debian makes this folder in its init script only.
  if (process.getuid?.() === 0) mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });

  // `ip netns exec` becomes sshd, so that the process id is sshd's either way.
  const [command = program, ...before] = netns === undefined ? [] : ["ip", "netns", "exec", netns, program];
  const args = [...before, "-D", "-f", at("sshd_config"), "-E", at("sshd.log")];
  const started = `Server listening on ${host} port ${port}`;
  const { pid, log, stop } = await startServing(command, args, { dir, logFile: at("sshd.log"), started });
  return {
    pid,
    host,
    port,
    user,
    keyFile: at("client"),
    fingerprint: fingerprintOf(hostKeys[0] ?? ""),
    knownHostsFile: at("known_hosts"),
    directory: at("server"),
    folder: at("server"),
    log,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
