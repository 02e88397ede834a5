import { existsSync } from "node:fs";
import path from "node:path";
import { messageOf, TrivaultError } from "../../errors.ts";

/** Reads `.env` in the working directory into the environment; what is set already wins. */
export function loadDotEnv(file = ".env"): void {
  if (!existsSync(file)) return;
  try {
    process.loadEnvFile(file);
  } catch (cause) {
    throw new TrivaultError(
      "CONFIG_INVALID",
      `${path.resolve(file)} cannot be read (${messageOf(cause)}). Make it readable for this user, or move it away.`,
      { permanent: true, cause },
    );
  }
}
