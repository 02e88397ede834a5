import { codeOf, formatBytes, messageOf, type SftpTierConfig, TrivaultError } from "@trivault/core";
import type { Stats } from "ssh2";
import ssh2 from "ssh2";
import { openTcp, resolveHost } from "./probe-network.ts";
import { offeredMethods, readBanner, recogniseServer } from "./probe-ssh.ts";
import { expectSame, type Probe, probeBytes, ProbeFailure, probeName, type Step } from "./probe-steps.ts";
import { connectSftp, type SftpConnection } from "./sftp-connection.ts";
import { FAILURE, NO_SFTP, PERMISSION_DENIED, statusOf } from "./sftp-errors.ts";
import { freeSpace, lstat, unlink } from "./sftp-files.ts";
import { readChunks } from "./sftp-transfer.ts";
import { fingerprintOf } from "./ssh-host-key.ts";
import { readKeyFile } from "./ssh-key-file.ts";

const TIMEOUTS = { connectTimeoutMs: 7_000, idleTimeoutMs: 14_000 };

export function sftpProbe(config: SftpTierConfig): Probe {
  let server: SftpConnection | undefined;
  // The steps below run only after the one that connects.
  const connected = (): SftpConnection => {
    if (server === undefined) throw new Error("not connected");
    return server;
  };
  const folder = folderProbe(config, connected);
  return {
    steps: [
      { name: "resolve", run: () => resolveHost(config.host, "BACKUP_REMOTE_SERVER") },
      { name: "connect", needs: "resolve", run: (signal) => reach(config, signal) },
      { name: "host key", needs: "connect", run: () => recogniseServer(config) },
      {
        name: "authenticate",
        needs: "host key",
        async run() {
          const key = await publicKey(config.keyFile);
          const who = `${config.user} with ${key.fingerprint} (${config.keyFile})`;
          try {
            server = await connectSftp(config, `sftp://${config.host}:${config.port}`, TIMEOUTS);
            return who;
          } catch (error) {
            return notLetIn(config, error, key.line);
          }
        },
      },
      ...folder.steps,
      {
        name: "free space",
        needs: "authenticate",
        async run() {
          const space = await freeSpace(connected(), folder.root);
          return space ? `${formatBytes(space.free)} of ${formatBytes(space.total)}` : "the server does not tell";
        },
      },
    ],
    async cleanUp() {
      if (server === undefined) return;
      if (!server.isDead()) await folder.cleanUp().catch(() => {});
      await server.close();
    },
  };
}

async function reach({ host, port }: SftpTierConfig, signal: AbortSignal): Promise<string> {
  const socket = await openTcp(host, port, signal).catch((error: unknown) => {
    throw new ProbeFailure(
      `no connection to ${host} port ${port}: ${codeOf(error) ?? messageOf(error)}`,
      codeOf(error) === "ECONNREFUSED"
        ? "Nothing listens there: start sshd on that server, or correct the port in BACKUP_REMOTE_SERVER (host:port)."
        : "Look at the network, the firewalls between here and there, and the port in BACKUP_REMOTE_SERVER (host:port).",
      error,
    );
  });
  const address = `${socket.remoteAddress} port ${port}`;
  return `${address}, ${await readBanner(socket, signal)}`;
}

async function publicKey(keyFile: string): Promise<{ line: string; fingerprint: string }> {
  const parsed = ssh2.utils.parseKey(await readKeyFile(keyFile));
  if (parsed instanceof Error) throw parsed; // readKeyFile has looked
  const blob = parsed.getPublicSSH();
  return { line: `${parsed.type} ${blob.toString("base64")} trivault`, fingerprint: fingerprintOf(blob) };
}

async function notLetIn(config: SftpTierConfig, error: unknown, line: string): Promise<never> {
  const cause = error instanceof TrivaultError ? error.cause : error;
  if (messageOf(cause) === NO_SFTP) {
    throw new ProbeFailure(
      NO_SFTP,
      "Set `Subsystem sftp internal-sftp` in its sshd_config, and see that nothing in the user's start-up files prints or waits.",
      error,
    );
  }
  if (!/authentication methods failed/i.test(messageOf(cause))) throw error;
  const offered = await offeredMethods(config);
  const byKey = offered.includes("publickey");
  throw new ProbeFailure(
    `the server does not accept this key for the user ${config.user}; it offers ${offered.join(", ") || "nothing"}`,
    byKey
      ? `Put this line into ~${config.user}/.ssh/authorized_keys on the server (folder 0700, file 0600, both that user's): ${line}`
      : "Set `PubkeyAuthentication yes` in its sshd_config: Trivault logs in by key only.",
    error,
  );
}

/** What happens in the tier's folder. */
function folderProbe(
  config: SftpTierConfig,
  connected: () => SftpConnection,
): { root: string; steps: Step[]; cleanUp(): Promise<void> } {
  // As the store takes it: SFTP knows no "~"; a relative path begins in the user's home.
  const root = config.directory.replace(/^~\/?/, "") || ".";
  const written = `${root}/${probeName()}`;
  const second = `${root}/${probeName()}`;
  const bytes = probeBytes();
  const made: string[] = [];
  const guard = async (work: Promise<string>): Promise<string> => {
    try {
      return await work;
    } catch (error) {
      return failed(connected(), config, error);
    }
  };
  return {
    root,
    steps: [
      { name: "folder", needs: "authenticate", run: () => guard(findFolder(connected(), root, made)) },
      { name: "write", needs: "folder", run: () => guard(write(connected(), written, bytes)) },
      { name: "read back", needs: "write", run: () => guard(readBack(connected(), written, bytes)) },
      { name: "rename", needs: "write", run: () => guard(rename(connected(), written, second)) },
      { name: "delete", needs: "rename", run: () => guard(remove(connected(), second)) },
    ],
    async cleanUp() {
      for (const file of [written, second]) await unlink(connected(), file).catch(() => {});
      for (const folder of made.toReversed()) {
        await connected().request<void>((sftp, done) => sftp.rmdir(folder, done));
      }
    },
  };
}

async function findFolder(server: SftpConnection, root: string, made: string[]): Promise<string> {
  const parts = root.split("/").map((_, i, all) => all.slice(0, i + 1).join("/"));
  const missing = parts.filter((part) => part !== "");
  while (missing.length > 0 && (await lstat(server, missing[0] ?? ""))) missing.shift();
  for (const folder of missing) {
    await server.request<void>((sftp, done) => sftp.mkdir(folder, { mode: 0o700 }, done));
    made.push(folder);
  }
  const found = await server.request<Stats>((sftp, done) => sftp.stat(root, done));
  if (!found.isDirectory()) {
    throw new ProbeFailure(`${root} is not a folder`, "Move what lies there, or correct BACKUP_REMOTE_DIR.");
  }
  const path = await server.request<string>((sftp, done) => sftp.realpath(root, done));
  const mode = (found.mode & 0o777).toString(8).padStart(3, "0");
  return made.length > 0
    ? `${path} is not there yet; it can be made`
    : `${path} is there (mode ${mode}, owner ${found.uid})`;
}

async function write(server: SftpConnection, file: string, bytes: Buffer): Promise<string> {
  const handle = await server.request<Buffer>((sftp, done) => sftp.open(file, "xw+", { mode: 0o600 }, done));
  try {
    await server.request<void>((sftp, done) => sftp.write(handle, bytes, 0, bytes.length, 0, done));
    const synced = await server
      .request<void>((sftp, done) => sftp.ext_openssh_fsync(handle, done))
      .then(
        () => true,
        (error: unknown) => {
          if (messageOf(error).includes("does not support")) return false;
          throw error;
        },
      );
    const how = synced
      ? "on its disk (fsync)"
      : "but it cannot be told to bring that to its disk (no fsync@openssh.com)";
    return `${formatBytes(bytes.length)}, ${how}`;
  } finally {
    await server.request<void>((sftp, done) => sftp.close(handle, done));
  }
}

async function readBack(server: SftpConnection, file: string, bytes: Buffer): Promise<string> {
  const handle = await server.request<Buffer>((sftp, done) => sftp.open(file, "r", done));
  try {
    expectSame(Buffer.concat(await Array.fromAsync(readChunks(server, handle, 0, bytes.length))), bytes);
    return "the same bytes";
  } finally {
    await server.request<void>((sftp, done) => sftp.close(handle, done));
  }
}

/** Whoever publishes by rename relies on it never to replace a file. */
async function rename(server: SftpConnection, from: string, to: string): Promise<string> {
  const handle = await server.request<Buffer>((sftp, done) => sftp.open(to, "xw+", { mode: 0o600 }, done));
  await server.request<void>((sftp, done) => sftp.close(handle, done));
  const move = () => server.request<void>((sftp, done) => sftp.rename(from, to, done));
  const refused = await move().then(
    () => null,
    (error: unknown) => error,
  );
  if (refused === null) {
    throw new ProbeFailure(
      "its rename replaces files that are there already",
      "Use OpenSSH's SFTP server there: with this one, two writers at once could spoil a backup.",
    );
  }
  if (statusOf(refused) !== FAILURE) throw refused;
  await unlink(server, to);
  await move();
  return "it never replaces a file that is there";
}

async function remove(server: SftpConnection, file: string): Promise<string> {
  await unlink(server, file);
  if (await lstat(server, file)) {
    throw new ProbeFailure("the file is still there", "Look at that server's file system: is it a write-once archive?");
  }
  return "gone";
}

async function failed(server: SftpConnection, config: SftpTierConfig, error: unknown): Promise<never> {
  if (error instanceof ProbeFailure || error instanceof TrivaultError) throw error;
  const { user, directory } = config;
  const space = await freeSpace(server, directory).catch(() => null);
  if (statusOf(error) === FAILURE && space && space.free < 1024 * 1024) {
    throw new ProbeFailure(
      `the disk is full: ${formatBytes(space.free)} of ${formatBytes(space.total)} are free`,
      "Free space there, enlarge it, or keep fewer backups on this tier.",
      error,
    );
  }
  const home = await server.request<string>((sftp, done) => sftp.realpath(".", done)).catch(() => "");
  const begins = home === "" ? "" : ` (${user} begins in ${home}; under ChrootDirectory, paths begin there)`;
  const make = `sudo mkdir -p ${directory} && sudo chown ${user} ${directory} && sudo chmod 700 ${directory}`;
  throw new ProbeFailure(
    `the server says "${messageOf(error)}"`,
    statusOf(error) === PERMISSION_DENIED
      ? `Let the user ${user} have that folder; on the server: ${make}. Or correct BACKUP_REMOTE_DIR${begins}.`
      : `Look at free space, quota, mount options (read-only?) and the log of sshd there, and at BACKUP_REMOTE_DIR${begins}.`,
    error,
  );
}
