import { closeSync, fdatasync, openSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { codeOf } from "@trivault/core";
import { z } from "zod";
import { hashSchema, type Link, timeSchema } from "./line.ts";

/**
 * `head.json`: how far the audit log goes. By it an end that was cut off is found. It is written after the lines and before
 * the lock is given back, so a crash may leave it behind them, never ahead.
 */
export interface Head extends Link {
  /** The month file that holds the last line; empty where there is none yet. */
  readonly file: string;
  /** How long that file is with it. */
  readonly size: number;
}

const headSchema = z.object({
  seq: z.int().nonnegative(),
  at: timeSchema,
  hash: hashSchema,
  file: z.string(),
  size: z.int().nonnegative(),
});

export const HEAD = "head.json";

/** `invalid`: it is there, and is none of ours. */
export function readHead(folder: string): Head | "missing" | "invalid" {
  let text: string;
  try {
    text = readFileSync(path.join(folder, HEAD), "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return "missing";
    throw error;
  }
  try {
    return headSchema.parse(JSON.parse(text));
  } catch {
    return "invalid";
  }
}

/** With the lock held, therefore by one fixed temporary name. */
export async function publishHead(folder: string, head: Head): Promise<void> {
  const temporary = path.join(folder, `${HEAD}.tmp`);
  const file = openSync(temporary, "w", 0o600);
  try {
    writeFileSync(file, `${JSON.stringify(head)}\n`);
    await promisify(fdatasync)(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path.join(folder, HEAD));
}
