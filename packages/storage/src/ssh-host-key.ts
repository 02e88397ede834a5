import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { messageOf, settingOf, type SftpTierConfig, shellWord, TrivaultError, withoutTrailing } from "@trivault/core";
import type { ServerHostKeyAlgorithm } from "ssh2";
import { type KnownHost, knownHosts } from "./ssh-known-hosts.ts";

/** Decides, before any credential is sent, whether a server is the one that the operator means. */
export interface HostKeyCheck {
  /** What to ask the server for: types of key that are known for it first. SHA-1 signatures (ssh-rsa) are never accepted. */
  readonly algorithms: ServerHostKeyAlgorithm[];
  /** Null, or why the key that the server showed is refused. */
  problem(key: Buffer): TrivaultError | null;
}

const ALGORITHMS: Readonly<Record<string, ServerHostKeyAlgorithm[]>> = {
  "ssh-ed25519": ["ssh-ed25519"],
  "ecdsa-sha2-nistp256": ["ecdsa-sha2-nistp256"],
  "ecdsa-sha2-nistp384": ["ecdsa-sha2-nistp384"],
  "ecdsa-sha2-nistp521": ["ecdsa-sha2-nistp521"],
  "ssh-rsa": ["rsa-sha2-512", "rsa-sha2-256"],
};

type Server = Pick<SftpTierConfig, "kind" | "origin" | "host" | "port" | "hostKey">;

/** `refusedTypes`: types of key that the server showed before and that were not the one with the fingerprint. */
export async function hostKeyCheck(server: Server, refusedTypes: ReadonlySet<string>): Promise<HostKeyCheck> {
  const types = Object.keys(ALGORITHMS).filter((type) => !refusedTypes.has(type));
  if ("fingerprint" in server.hostKey) {
    const { fingerprint } = server.hostKey;
    return {
      algorithms: algorithmsOf(types),
      problem: (key) =>
        fingerprintOf(key) === fingerprint ? null : changed(server, [key], settingOf(server, "hostKey")),
    };
  }
  const file = server.hostKey.knownHostsFile;
  const known = knownHosts(await readKnownHosts(file, server), server.host, server.port);
  const trusted = known.filter((each) => !each.revoked);
  const first = new Set(trusted.map((each) => each.type));
  return {
    algorithms: algorithmsOf(types.toSorted((a, b) => Number(first.has(b)) - Number(first.has(a)))),
    problem: (key) => problemOf(key, known, server, file),
  };
}

export function fingerprintOf(key: Buffer): string {
  return `SHA256:${withoutTrailing(createHash("sha256").update(key).digest("base64"), "=")}`;
}

/** An SSH key begins with its type: a length in four bytes, then its name (RFC 4253, 6.6). */
export function typeOf(key: Buffer): string {
  return key.toString("latin1", 4, 4 + key.readUInt32BE(0));
}

export function changed(server: Server, keys: readonly Buffer[], where: string): TrivaultError {
  const seen = keys.map((key) => `${fingerprintOf(key)} (${typeOf(key)})`).join(", ");
  return hostKeyError(
    `The server ${server.host}:${server.port} showed a host key other than the one in ${where}: ${seen}. It may have been ` +
      "set up anew, or someone may stand in between; nothing was sent. Compare with what `ssh-keygen -lf` prints on the " +
      `server itself for /etc/ssh/ssh_host_*_key.pub, and correct ${where} only if they agree.`,
  );
}

function problemOf(key: Buffer, known: readonly KnownHost[], server: Server, file: string): TrivaultError | null {
  const same = known.filter((each) => each.key.equals(key));
  if (same.some((each) => each.revoked)) {
    return hostKeyError(
      `The server ${server.host}:${server.port} showed the host key ${fingerprintOf(key)}, which ${file} marks as ` +
        "revoked; nothing was sent. Give the server a new host key, and put that into the file.",
    );
  }
  if (same.length > 0) return null;
  return known.some((each) => !each.revoked) ? changed(server, [key], file) : unknown(key, server, file);
}

function unknown(key: Buffer, server: Server, file: string): TrivaultError {
  const { host, port } = server;
  return hostKeyError(
    `${file} does not know the server ${host}:${port}, which showed the host key ${fingerprintOf(key)} (${typeOf(key)}); ` +
      "nothing was sent. Compare with what `ssh-keygen -lf` prints on the server itself for " +
      `/etc/ssh/ssh_host_*_key.pub; if they agree, set ${settingOf(server, "hostKey")} to that fingerprint, or run ` +
      `\`ssh-keyscan -p ${port} ${shellWord(host)} >> ${shellWord(file)}\`.`,
  );
}

async function readKnownHosts(file: string, server: Server): Promise<string> {
  const { host, port } = server;
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw hostKeyError(
      `The known_hosts file cannot be read: ${messageOf(error)}. Make it with \`ssh-keyscan -p ${port} ${shellWord(host)} > ${shellWord(file)}\` ` +
        `and compare its fingerprints with the server's own, or set ${settingOf(server, "hostKey")} instead.`,
      error,
    );
  }
}

function algorithmsOf(types: readonly string[]): ServerHostKeyAlgorithm[] {
  return types.flatMap((type) => ALGORITHMS[type] ?? []);
}

function hostKeyError(message: string, cause?: unknown): TrivaultError {
  return new TrivaultError("HOST_KEY", message, { permanent: true, cause });
}
