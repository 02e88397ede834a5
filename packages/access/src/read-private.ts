import { stat } from "node:fs/promises";
import path from "node:path";
import { codeOf, TrivaultError, withPrivateFile } from "@trivault/core";
import type { z } from "zod";

/**
 * Null where there is no such file. Throws where it is not of that form, or where others than the service could have
 * written or read it. Root, who changes it for the service, takes one of its folder's owner as well.
 */
export async function readPrivateJson<T>(file: string, schema: z.ZodType<T>): Promise<T | null> {
  try {
    const ours = process.getuid?.();
    const owner = ours === 0 ? (await stat(path.dirname(file))).uid : ours;
    return await withPrivateFile(
      file,
      async ({ problem, bytes }) => {
        if (problem !== null) throw new TrivaultError("KEY_FILE", `${file} ${problem}`, { permanent: true });
        return schema.parse(JSON.parse((await bytes()).toString("utf8")));
      },
      owner,
    );
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  }
}
