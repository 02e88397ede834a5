import { codeOf, TrivaultError, withPrivateFile } from "@trivault/core";
import type { z } from "zod";

/**
 * Null where there is no such file. Throws where it is not of that form, or where others than the service could have
 * written or read it.
 */
export async function readPrivateJson<T>(file: string, schema: z.ZodType<T>): Promise<T | null> {
  try {
    return await withPrivateFile(file, async ({ problem, bytes }) => {
      if (problem !== null) throw new TrivaultError("KEY_FILE", `${file} ${problem}`, { permanent: true });
      return schema.parse(JSON.parse((await bytes()).toString("utf8")));
    });
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  }
}
