import { createHmac, timingSafeEqual } from "node:crypto";
import type { z } from "zod";

/** What a signed text is for: one for a session is none for anything else. */
export type Purpose = "session" | "device" | "ticket" | "csrf" | "attempts";

/** `<base64url of JSON>.<HMAC>`: readable by whoever holds it, and made by nobody but us. */
export function sign(key: string, purpose: Purpose, value: unknown): string {
  const body = Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${body}.${mac(key, purpose, body).toString("base64url")}`;
}

export function readSigned<T>(key: string, purpose: Purpose, text: string, schema: z.ZodType<T>): T | null {
  const [body = "", signature = "", ...rest] = text.slice(0, 2000).split(".");
  const expected = mac(key, purpose, body);
  const given = Buffer.from(signature, "base64url");
  if (rest.length > 0 || given.length !== expected.length || !timingSafeEqual(given, expected)) return null;
  // Only we can have written it, perhaps as another version.
  return schema.safeParse(JSON.parse(Buffer.from(body, "base64url").toString("utf8"))).data ?? null;
}

export function mac(key: string, purpose: Purpose, text: string): Buffer {
  return createHmac("sha256", Buffer.from(key, "base64url")).update(`${purpose}\0${text}`).digest();
}
