import { readFileSync } from "node:fs";
import { codeOf, messageOf } from "../errors.ts";
import type { Problem } from "./problems.ts";

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
    problems.push({
      variable: "REDIS_PASSWORD_FILE",
      message: `is ${passwordFile}, which cannot be read: ${messageOf(error)}. It holds the password of REDIS_URL.`,
    });
    return url;
  }
}
