import type { Decrypter } from "age-encryption";
import { messageOf, TrivaultError } from "@trivault/core";
import { AgeError } from "./age-error.ts";
import { age } from "./age-library.ts";
import { NONCE, TAG } from "./stream.ts";

/** Far above what 64 post-quantum recipients take (150 KiB): a file without the header's end must not fill the memory. */
const MAX_HEADER = 1024 * 1024;

/** The header's last line, with its HMAC-SHA-256. */
const MAC_LINE = /\n--- [A-Za-z0-9+/]{43}\n$/;

/**
 * A new file key, and age's own header that wraps it for each recipient. age-encryption hands the file key to every
 * recipient; one of ours that adds nothing to the header keeps it. The empty payload that follows is cut off.
 */
export async function makeHeader(recipients: readonly string[]): Promise<{ header: Uint8Array; fileKey: Uint8Array }> {
  if (recipients.length === 0) throw new RangeError("an age file without recipients could never be opened");
  const encrypter = new (age().Encrypter)();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  let fileKey: Uint8Array | undefined;
  encrypter.addRecipient({
    wrapFileKey(key) {
      fileKey = key;
      return [];
    },
  });
  const file = await encrypter.encrypt(new Uint8Array(0));
  if (fileKey === undefined) throw new Error("age-encryption made a header without showing its file key");
  return { header: file.subarray(0, file.length - NONCE - TAG), fileKey };
}

/** Throws KEY_FILE where one is malformed. */
export function decrypterFor(identities: readonly string[]): Decrypter {
  const decrypter = new (age().Decrypter)();
  for (const [i, identity] of identities.entries()) {
    try {
      decrypter.addIdentity(identity);
    } catch (cause) {
      throw new TrivaultError(
        "KEY_FILE",
        `Identity ${i + 1} of ${identities.length} is not a valid age secret key (AGE-SECRET-KEY-1…); it may have been ` +
          `cut or mistyped. Copy the key again from where it is kept.`,
        { permanent: true, cause },
      );
    }
  }
  return decrypter;
}

/**
 * The length of the header at the start of `bytes`: up to the end of the line that starts with `---`. Null where more
 * bytes are needed. No other line of a valid header starts so: `-` is no letter of its base64.
 */
export function headerLength(bytes: Uint8Array): number | null {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, MAX_HEADER));
  const mac = view.indexOf("\n---", 0, "latin1");
  const end = mac < 0 ? -1 : view.indexOf("\n", mac + 1, "latin1");
  if (end >= 0) return end + 1;
  if (bytes.length >= MAX_HEADER) throw new AgeError("header", "it has no end");
  return null;
}

/** The file key of a header (all of it, and nothing after it), its MAC checked. Throws AgeError. */
export async function readHeader(header: Uint8Array, decrypter: Decrypter): Promise<Uint8Array> {
  // age-encryption takes a MAC of any length, to find then that it does not fit.
  if (!MAC_LINE.test(Buffer.from(header.subarray(-64)).toString("latin1"))) {
    throw new AgeError("header", "its MAC is malformed");
  }
  try {
    return await decrypter.decryptHeader(header);
  } catch (cause) {
    // age-encryption 0.3.1 distinguishes these by text alone; the C2SP vectors notice if that changes.
    const text = messageOf(cause);
    const noMatch = text === "no identity matched any of the file's recipients";
    const problem = noMatch ? "no-match" : text === "invalid header HMAC" ? "mac" : "header";
    throw new AgeError(problem, text, { cause });
  }
}
