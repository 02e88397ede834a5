import { randomUUID } from "node:crypto";
import { open, readFile, rename, rm } from "node:fs/promises";
import type { z } from "zod";
import { codeOf } from "./errors.ts";

export async function publishJson(file: string, value: unknown): Promise<void> {
  await publishText(file, JSON.stringify(value));
}

/** Whole or absent: by temporary name, fsync and rename. */
export async function publishText(file: string, text: string): Promise<void> {
  const temporary = `${file}.${randomUUID()}`;
  try {
    const handle = await open(temporary, "wx", 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Null where there is no such file. Throws where it is not of that form. */
export async function readJson<T>(file: string, schema: z.ZodType<T>): Promise<T | null> {
  const text = await readOrNull(file);
  return text === null ? null : schema.parse(JSON.parse(text));
}

/** Null where there is no such file. */
export async function readOrNull(file: string): Promise<string | null> {
  try {
    // Decoded at once: by its encoding Node decodes piece by piece, which takes a large file twice as long.
    return (await readFile(file)).toString("utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  }
}
