import { codeOf, formatBytes, messageOf, settingOf, type SftpTierConfig, TrivaultError } from "@trivault/core";
import ssh2 from "ssh2";
import { openTcp, resolveHost } from "./probe-network.ts";
import { offeredMethods, readBanner, recogniseServer } from "./probe-ssh.ts";
import { folderProbe } from "./probe-sftp-folder.ts";
import { type Probe, ProbeFailure } from "./probe-steps.ts";
import { connectSftp, type SftpConnection } from "./sftp-connection.ts";
import { NO_SFTP } from "./sftp-errors.ts";
import { freeSpace } from "./sftp-files.ts";
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
      { name: "resolve", run: () => resolveHost(config.host, settingOf(config, "host")) },
      { name: "connect", needs: "resolve", run: (signal) => reach(config, signal) },
      { name: "host key", needs: "connect", run: () => recogniseServer(config) },
      {
        name: "authenticate",
        needs: "host key",
        async run() {
          const key = await publicKey(config);
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
          return space ? `${formatBytes(space.free)} of ${formatBytes(space.total)}` : "the server does not say";
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

async function reach(config: SftpTierConfig, signal: AbortSignal): Promise<string> {
  const { host, port } = config;
  const socket = await openTcp(host, port, signal).catch((error: unknown) => {
    throw new ProbeFailure(
      `no connection to ${host} port ${port}: ${codeOf(error) ?? messageOf(error)}`,
      codeOf(error) === "ECONNREFUSED"
        ? `Nothing listens there: start sshd on that server, or correct ${portSetting(config)}.`
        : `Look at the network, the firewalls between here and there, and ${portSetting(config)}.`,
      error,
    );
  });
  const address = `${socket.remoteAddress} port ${port}`;
  return `${address}, ${await readBanner(socket, portSetting(config), signal)}`;
}

async function publicKey(config: SftpTierConfig): Promise<{ line: string; fingerprint: string }> {
  const parsed = ssh2.utils.parseKey(await readKeyFile(config));
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

function portSetting(config: SftpTierConfig): string {
  const setting = settingOf(config, "port");
  return config.origin === "environment" ? `the port in ${setting} (host:port)` : setting;
}
