import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { freePort } from "./ports.ts";
import { findProgram } from "./programs.ts";
import { makeTempDir } from "./temp.ts";

export interface Sshd extends AsyncDisposable {
  readonly pid: number;
  readonly host: string;
  readonly port: number;
  /** The user that runs this process; sshd lets nobody else in. */
  readonly user: string;
  readonly keyFile: string;
  /** `SHA256:…` of the first host key, as `ssh-keygen -l` prints it. */
  readonly fingerprint: string;
  readonly knownHostsFile: string;
  /** An empty folder on the "server". */
  readonly directory: string;
  /** What sshd logged so far, at VERBOSE. */
  log(): string;
  /** Ends sshd with every session, and removes its folder; again is fine. */
  stop(): Promise<void>;
}

export interface SshdOptions {
  readonly hostKeyTypes?: readonly ("ed25519" | "ecdsa" | "rsa")[];
  /** Lines of sshd_config(5), such as `ForceCommand internal-sftp`. */
  readonly config?: readonly string[];
  readonly port?: number;
  /** Where it listens; 127.0.0.1 unless told. */
  readonly host?: string;
  /** A network namespace (ip-netns(8)) to run in; needs root. */
  readonly netns?: string;
}

const run = promisify(execFile);

/** A real OpenSSH server for the present user, on a free port, with host and client keys of its own. */
export async function startSshd(options: SshdOptions = {}): Promise<Sshd> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await launch(options, options.port ?? (await freePort()));
    } catch (error) {
      // Between freePort and bind another process may take the port.
      if (attempt === 3 || !String(error).includes("Address already in use")) throw error;
    }
  }
}

async function launch(options: SshdOptions, port: number): Promise<Sshd> {
  const { hostKeyTypes = ["ed25519"], config = [], host = "127.0.0.1", netns } = options;
  // sshd starts itself anew for each connection, and so insists on an absolute path.
  const program = findProgram("sshd", "openssh-server");
  const keygen = findProgram("ssh-keygen", "openssh-client");
  const dir = await makeTempDir("tv-sshd");
  const at = (name: string) => path.join(dir.path, name);
  const logFile = at("sshd.log");

  const makeKey = async (type: string, name: string) => {
    await run(keygen, ["-q", "-t", type, "-N", "", "-C", "trivault-test", "-f", at(name)]);
    return (await readFile(at(`${name}.pub`), "utf8")).trim();
  };
  const hostKeys = await Promise.all(hostKeyTypes.map((type) => makeKey(type, `host_${type}`)));
  await writeFile(at("authorized_keys"), `${await makeKey("ed25519", "client")}\n`, { mode: 0o600 });
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
  const child = spawn(command, [...before, "-D", "-f", at("sshd_config"), "-E", logFile], { stdio: "ignore" });
  const killNow = () => killTree(child, "SIGKILL");
  process.once("exit", killNow);
  const log = () => (existsSync(logFile) ? readFileSync(logFile, "utf8") : "");
  const stop = async () => {
    await end(child);
    process.off("exit", killNow);
    await dir.remove();
  };
  try {
    await listening(child, `${host} port ${port}`, log);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    pid: child.pid ?? 0,
    host,
    port,
    user,
    keyFile: at("client"),
    fingerprint: fingerprintOf(hostKeys[0] ?? ""),
    knownHostsFile: at("known_hosts"),
    directory: at("server"),
    log,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Of a line such as `ssh-ed25519 AAAA… comment`. */
export function fingerprintOf(publicKey: string): string {
  const blob = Buffer.from(publicKey.split(" ")[1] ?? "", "base64");
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
}

async function listening(child: ChildProcess, where: string, log: () => string): Promise<void> {
  let failure: unknown;
  child.once("error", (error) => (failure = error));
  for (let tries = 0; tries < 200; tries++) {
    if (failure !== undefined || child.exitCode !== null || child.signalCode !== null) break;
    // Its own log, not a connection: that would be one of the few unauthenticated ones that MaxStartups allows.
    if (log().includes(`Server listening on ${where}`)) return;
    await sleep(25);
  }
  throw new Error(`sshd did not start:\n${log()}`, { cause: failure });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  killTree(child, "SIGKILL");
  await exited;
}

/** sshd's sessions are processes with a process group of their own, which outlive it. */
function killTree(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null) return;
  const parents = parentsOfAll();
  const tree = [child.pid];
  for (const pid of tree) tree.push(...[...parents].filter(([, parent]) => parent === pid).map(([each]) => each));
  for (const pid of tree) {
    try {
      process.kill(pid, signal);
    } catch {
      // It ended by itself.
    }
  }
}

function parentsOfAll(): Map<number, number> {
  const parents = new Map<number, number>();
  if (!existsSync("/proc/self")) {
    const { stdout } = spawnSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" });
    for (const [, pid, parent] of stdout.matchAll(/^ *(\d+) +(\d+)$/gm)) parents.set(Number(pid), Number(parent));
    return parents;
  }
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      // pid (name) state ppid …, where the name may hold spaces and brackets
      const stat = readFileSync(`/proc/${entry}/stat`, "latin1");
      parents.set(Number(entry), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
    } catch {
      // It ended in between.
    }
  }
  return parents;
}
