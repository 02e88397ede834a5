import { messageOf, TrivaultError } from "@trivault/core";
import { age } from "./age-library.ts";

/** Throws CONFIG_INVALID unless every one is a recipient that age can encrypt to, and all are of one strength. */
export function checkRecipients(recipients: readonly string[]): void {
  if (recipients.length === 0) throw invalid("It names no recipient.");
  for (const recipient of recipients) checkRecipient(recipient);
  const postQuantum = recipients.filter(isPostQuantum);
  if (postQuantum.length > 0 && postQuantum.length < recipients.length) {
    throw invalid(
      "It mixes post-quantum recipients (age1pq1…) with classic ones: whoever breaks the classic key opens the file, so " +
        "the post-quantum one would protect nothing. Give recipients of one kind only.",
    );
  }
}

function checkRecipient(recipient: string): void {
  if (/^AGE-SECRET-KEY-/i.test(recipient)) {
    // Its text must appear in no message: it is the secret itself.
    throw invalid(
      "It holds a secret key (AGE-SECRET-KEY-…). Put its public key there (`age-keygen -y FILE` prints it, age1…), and " +
        "consider the secret key as seen by whoever can read this configuration.",
    );
  }
  try {
    new (age().Encrypter)().addRecipient(recipient);
  } catch (cause) {
    throw invalid(
      `${JSON.stringify(abbreviate(recipient))} is not a valid age recipient (${messageOf(cause)}). It looks like ` +
        "age1… followed by 58 letters and digits; copy it whole from the key file's “public key” line.",
      cause,
    );
  }
}

function isPostQuantum(recipient: string): boolean {
  return recipient.startsWith("age1pq1") || recipient.startsWith("age1tagpq1");
}

function abbreviate(text: string): string {
  return text.length > 100 ? `${text.slice(0, 60)}…${text.slice(-12)}` : text;
}

function invalid(why: string, cause?: unknown): TrivaultError {
  return new TrivaultError("CONFIG_INVALID", `BACKUP_ENCRYPTION_RECIPIENTS cannot be used. ${why}`, {
    permanent: true,
    cause,
  });
}
