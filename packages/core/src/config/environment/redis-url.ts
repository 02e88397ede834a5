import { readFileSync } from "node:fs";
import { codeOf } from "../../errors.ts";
import { isLoopback } from "../../loopback.ts";
import type { Problem } from "../model/problems.ts";

/**
 * REDIS_URL with the password of REDIS_PASSWORD_FILE, so that it need stand in no environment. Whoever only reads backups
 * needs no queue, and does without the file.
 */
export function redisUrlOf(
  url: string | undefined,
  passwordFile: string | undefined,
  problems: Problem[],
  mayLackFile: boolean,
): string | null {
  if (url === undefined) {
    if (passwordFile !== undefined) {
      problems.push({
        variable: "REDIS_PASSWORD_FILE",
        message: "is set, but REDIS_URL is not: set both, or neither.",
      });
    }
    return null;
  }
  if (passwordFile === undefined) return url;
  try {
    const parsed = new URL(url);
    parsed.password = readFileSync(passwordFile, "utf8").trim();
    return parsed.href;
  } catch (error) {
    if (mayLackFile && codeOf(error) === "ENOENT") return url;
    // Neither the path nor the system's message, which repeats it: it may be the password itself.
    const shown = "(its value is hidden, as it may be the password itself)";
    const message = `names a file ${shown} that cannot be read: ${codeOf(error) ?? "unknown"}. It takes the path of a file with the password of REDIS_URL.`;
    problems.push({ variable: "REDIS_PASSWORD_FILE", message });
    return url;
  }
}

/** What stands between REDIS_URL's connections and whoever listens on the way; null: a Redis of our own, behind a socket. */
export function redisProtection(url: string | null): string {
  if (url === null) return "of its own, on this machine";
  const { protocol, hostname, password } = new URL(url);
  if (protocol === "unix:" || isLoopback(hostname.replace(/^\[|\]$/g, ""))) return "on this machine";
  if (protocol === "rediss:") return "TLS, certificate verified";
  return `NO TLS (rediss:// has it), ${password === "" ? "NO PASSWORD" : "PASSWORD UNPROTECTED"}`;
}
