import { createHash, randomInt } from "node:crypto";
import { generateSecret, generateURI, verify } from "otplib";

const PERIOD_SECONDS = 30;
const RECOVERY_CODES = 10;
const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";

export interface SecondFactor {
  readonly secret: string;
  /** Shown once, and kept as hashes. */
  readonly recoveryCodes: readonly string[];
}

export function createSecondFactor(): SecondFactor {
  return { secret: generateSecret(), recoveryCodes: Array.from({ length: RECOVERY_CODES }, recoveryCode) };
}

/** What an authenticator app takes, as a link or a QR code. */
export function otpauthUrl(user: string, secret: string): string {
  return generateURI({ issuer: "Trivault", label: user, secret });
}

/** The time step that this code is of: now, or the one before or after. Null where it is of none of them. */
export async function stepOfCode(secret: string, code: string, now: Date): Promise<number | null> {
  const token = code.replaceAll(/\s/g, "");
  if (!/^\d{6}$/.test(token)) return null;
  const epoch = Math.floor(now.getTime() / 1000);
  const verdict = await verify({ secret, token, epoch, epochTolerance: PERIOD_SECONDS, period: PERIOD_SECONDS });
  return verdict.valid && "timeStep" in verdict ? verdict.timeStep : null;
}

/** Null where it does not look like one. */
export function hashOfRecoveryCode(text: string): string | null {
  const code = text.toLowerCase().replaceAll(/[\s-]/g, "");
  return /^[a-z2-7]{16}$/.test(code) ? createHash("sha256").update(code).digest("hex") : null;
}

/** 80 bits, so that a plain hash keeps it: `k3v5-…`. */
function recoveryCode(): string {
  const group = () => Array.from({ length: 4 }, () => ALPHABET[randomInt(ALPHABET.length)]).join("");
  return [group(), group(), group(), group()].join("-");
}
