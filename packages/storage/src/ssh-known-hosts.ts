import { createHmac, timingSafeEqual } from "node:crypto";

/** known_hosts files: sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT". */

export interface KnownHost {
  readonly revoked: boolean;
  /** `ssh-ed25519`, `ssh-rsa`, `ecdsa-sha2-nistp256`, … */
  readonly type: string;
  readonly key: Buffer;
}

/**
 * The keys that a file holds for a server. As OpenSSH does, a server on a port of its own is looked for as `[host]:port`
 * first, and as plain `host` only where that finds nothing. Lines of certificate authorities are passed over.
 */
export function knownHosts(file: string, host: string, port: number): KnownHost[] {
  const name = host.toLowerCase();
  const names = port === 22 ? [name] : [`[${name}]:${port}`, name];
  for (const each of names) {
    const found = lines(file).filter((line) => matches(line.patterns, each));
    if (found.length > 0) return found;
  }
  return [];
}

function lines(file: string): (KnownHost & { patterns: string })[] {
  return file.split(/\r?\n/).flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const marker = fields[0]?.startsWith("@") ? fields.shift() : undefined;
    const [patterns = "", type = "", key = ""] = fields;
    const usable = marker === undefined || marker === "@revoked";
    if (patterns === "" || patterns.startsWith("#") || key === "" || !usable) return [];
    return [{ revoked: marker === "@revoked", patterns, type, key: Buffer.from(key, "base64") }];
  });
}

function matches(patterns: string, name: string): boolean {
  if (patterns.startsWith("|")) return matchesHash(patterns, name);
  let found = false;
  for (const pattern of patterns.toLowerCase().split(",")) {
    if (pattern.startsWith("!")) {
      if (glob(pattern.slice(1)).test(name)) return false;
    } else if (glob(pattern).test(name)) found = true;
  }
  return found;
}

/** `|1|<salt>|<HMAC-SHA1 of the name, keyed with the salt>` */
function matchesHash(hashed: string, name: string): boolean {
  const [, version, salt = "", hash = ""] = hashed.split("|");
  if (version !== "1") return false;
  const expected = Buffer.from(hash, "base64");
  const actual = createHmac("sha1", Buffer.from(salt, "base64")).update(name).digest();
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}

function glob(pattern: string): RegExp {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`);
}
