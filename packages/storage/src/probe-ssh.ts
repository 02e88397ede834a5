import type { Socket } from "node:net";
import { messageOf, settingOf, type SftpTierConfig, shellWord } from "@trivault/core";
import ssh2, { type ConnectConfig } from "ssh2";
import { ProbeFailure } from "./probe-steps.ts";
import { fingerprintOf, hostKeyCheck, typeOf } from "./ssh-host-key.ts";

/** What a server says before anybody is logged in. */

const QUIET_MS = 14_000;

/** Its first line (RFC 4253, 4.2), such as `SSH-2.0-OpenSSH_9.6`. */
export async function readBanner(socket: Socket, portSetting: string, signal: AbortSignal): Promise<string> {
  let text = "";
  const stop = () => socket.destroy();
  signal.addEventListener("abort", stop, { once: true });
  try {
    for await (const chunk of socket) {
      text += String(chunk);
      const banner = /^SSH-.*/m.exec(text)?.[0];
      if (banner !== undefined && text.includes("\n")) return banner.trim();
      if (text.length > 8192) break;
    }
  } finally {
    signal.removeEventListener("abort", stop);
    socket.destroy();
  }
  const said = text === "" ? "it closed the connection without a word" : `it says ${JSON.stringify(text.slice(0, 60))}`;
  throw new ProbeFailure(
    `something listens there, but it does not speak SSH: ${said}`,
    text === ""
      ? "If this is the right port, the server turns us away: look at MaxStartups, PerSourcePenalties and its firewall (fail2ban)."
      : `Correct ${portSetting}.`,
  );
}

/**
 * The key by which the server is recognised, of all that it shows. No credential is sent. Where the setting is a
 * fingerprint, its keys of each type are asked for, as the store does.
 */
export async function recogniseServer(config: SftpTierConfig): Promise<string> {
  const seen: Buffer[] = [];
  for (;;) {
    const check = await hostKeyCheck(config, new Set(seen.map(typeOf)));
    const key = await shownHostKey(config, check.algorithms);
    if (key !== null && check.problem(key) === null) return describe(key);
    if (key !== null) seen.push(key);
    const more = key !== null && "fingerprint" in config.hostKey;
    if (!more) return refuse(config, seen, key === null ? null : (check.problem(key)?.message ?? null));
  }
}

function refuse(config: SftpTierConfig, seen: readonly Buffer[], why: string | null): never {
  const shown = seen.map(describe).join(", ");
  const compare =
    "Compare with what `ssh-keygen -lf` prints on the server itself for /etc/ssh/ssh_host_*_key.pub. Only if they agree, ";
  if ("fingerprint" in config.hostKey) {
    throw new ProbeFailure(
      `the server showed ${shown}, and expected is ${config.hostKey.fingerprint}`,
      `It may have been set up anew, or someone stands in between; no credential was sent. ${compare}set ` +
        settingOf(config, "hostKey", seen[0] ? fingerprintOf(seen[0]) : "SHA256:…"),
    );
  }
  const file = config.hostKey.knownHostsFile;
  const revoked = why?.includes("revoked") ?? false;
  const verdict = revoked
    ? `${file} marks it as revoked`
    : why?.includes("does not know")
      ? `${file} does not know this server`
      : `${file} has another key for this server`;
  throw new ProbeFailure(
    seen.length === 0 ? "the server has no host key of a type that is safe" : `the server showed ${shown}; ${verdict}`,
    revoked
      ? "Give the server a new host key, and put that into the file."
      : `No credential was sent. ${compare}set ${settingOf(config, "hostKey", seen[0] ? fingerprintOf(seen[0]) : "SHA256:…")}, or run: ` +
          `ssh-keyscan -p ${config.port} ${shellWord(config.host)} >> ${shellWord(file)}`,
  );
}

const describe = (key: Buffer) => `${fingerprintOf(key)} (${typeOf(key)})`;

/** Null where the server has no key of these types. */
async function shownHostKey(
  config: SftpTierConfig,
  serverHostKey: NonNullable<ConnectConfig["algorithms"]>["serverHostKey"],
): Promise<Buffer | null> {
  let shown: Buffer | null = null;
  const error = await handshake(config, {
    algorithms: serverHostKey === undefined ? {} : { serverHostKey },
    hostVerifier: (key: Buffer) => {
      shown = key;
      return false;
    },
  });
  if (shown !== null || /no matching host key/i.test(error.message)) return shown;
  throw new ProbeFailure(
    `no SSH connection came about: ${error.message}`,
    /no matching/i.test(error.message)
      ? "The server knows only algorithms that are no longer safe: update OpenSSH there."
      : "Look at the log of sshd on that server.",
    error,
  );
}

/** How the server lets people in: `publickey`, `password`, … */
export async function offeredMethods(config: SftpTierConfig): Promise<string[]> {
  let offered: string[] = [];
  const check = await hostKeyCheck(config, new Set());
  await handshake(config, {
    algorithms: { serverHostKey: check.algorithms },
    hostVerifier: (key: Buffer) => check.problem(key) === null,
    authHandler: (left, _partial, next) => {
      if (left === null) return next({ type: "none", username: config.user });
      offered = [...left];
      return next(false as never);
    },
  });
  return offered;
}

/** A connection that is not meant to come about; how it ended. */
async function handshake(config: SftpTierConfig, how: ConnectConfig): Promise<Error> {
  const client = new ssh2.Client();
  const { promise, resolve } = Promise.withResolvers<Error>();
  client.on("error", resolve);
  client.once("ready", () => resolve(new Error("the server asked for no credentials")));
  client.once("close", () => resolve(new Error("the server closed the connection")));
  try {
    client.connect({ host: config.host, port: config.port, username: config.user, readyTimeout: QUIET_MS, ...how });
    return await promise;
  } catch (error) {
    return error instanceof Error ? error : new Error(messageOf(error));
  } finally {
    client.destroy();
  }
}
