import { TrivaultError } from "@trivault/core";
import { AgeError } from "./age-error.ts";

/** The error an operator reads; `what` names the file at the start of a sentence. Other errors stay as they are. */
export function explain(error: unknown, what: string): unknown {
  if (!(error instanceof AgeError)) return error;
  if (error.problem === "no-match") {
    return new TrivaultError(
      "DECRYPT_FAILED",
      `${what} is not encrypted to any of the identities given. Its recipients stand in the backup's manifest ` +
        `(manifest.json); set BACKUP_IDENTITY_FILE to the file that holds the secret key of one of them ` +
        `(\`age-keygen -y FILE\` prints the recipient that a key file belongs to).`,
      { permanent: true, cause: error },
    );
  }
  return new TrivaultError(
    "CORRUPT",
    `${what} is not an intact age file (${error.problem}: ${error.message}). It was changed or damaged where it lies, or ` +
      `on the way; use the copy of another tier.`,
    { permanent: true, cause: error },
  );
}
