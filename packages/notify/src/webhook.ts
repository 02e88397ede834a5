import { createHmac, timingSafeEqual } from "node:crypto";
import type { Shown } from "./types.ts";

/** A receiver should not take what is older: somebody may have kept it to send it again. */
const TOLERANCE_SECONDS = 300;

/** What a program gets; fields are added, and never changed. */
export function webhookBody(message: Shown): object {
  const { id, severity, title, text, facts, url, at, topic } = message;
  return { version: 1, id, topic, severity, title, text, facts: Object.fromEntries(facts), url, at: at.toISOString() };
}

/** The value of `x-trivault-signature`: HMAC-SHA-256 over `<seconds>.<body>`. */
export function signBody(body: string, secret: string, at: Date): string {
  const seconds = Math.floor(at.getTime() / 1000);
  return `t=${seconds},v1=${mac(seconds, body, secret).toString("hex")}`;
}

/** What a receiver does with the header, the body as it came, and the secret (docs/alerts.md shows it in other languages). */
export function verifySignature(header: string, body: string, secret: string, now: Date): boolean {
  const [, seconds = "", hex = ""] = /^t=(\d{1,12}),v1=([0-9a-f]{64})$/.exec(header) ?? [];
  if (Math.abs(now.getTime() / 1000 - Number(seconds)) > TOLERANCE_SECONDS) return false;
  return hex !== "" && timingSafeEqual(Buffer.from(hex, "hex"), mac(Number(seconds), body, secret));
}

function mac(seconds: number, body: string, secret: string): Buffer {
  return createHmac("sha256", secret).update(`${seconds}.${body}`).digest();
}
