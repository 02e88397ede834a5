import { HOUR_MS } from "@trivault/core";
import { randomBytes } from "node:crypto";
import { z } from "zod";
import type { AccessContent, UserEntry } from "./access-file.ts";
import { readSigned, sign } from "./signed.ts";
import type { Identity } from "./types.ts";

export const SESSION_MS = 12 * HOUR_MS;
export const IDLE_MS = HOUR_MS;
/** How often the cookie of a session in use is made anew. */
const REFRESH_MS = 5 * 60_000;
const TICKET_MS = 5 * 60_000;

export interface Session {
  readonly id: string;
  readonly identity: Identity;
  /** Whatever happens, it ends then. */
  readonly endsAt: number;
  /** The cookie to be set now, so that a session in use does not end; null where the one there is will do. */
  readonly refreshed: string | null;
}

const sessionSchema = z.object({
  user: z.string(),
  epoch: z.string(),
  id: z.string().max(40),
  begun: z.number(),
  seen: z.number(),
});
const ticketSchema = z.object({ user: z.string(), epoch: z.string(), until: z.number() });
const deviceSchema = z.object({ user: z.string(), epoch: z.string(), id: z.string().max(40) });

export function startSession({ sessionKey }: AccessContent, { name, epoch }: UserEntry, now: number): string {
  const id = randomBytes(12).toString("base64url");
  return sign(sessionKey, "session", { user: name, epoch, id, begun: now, seen: now });
}

/** Null unless it is whole, in time, and of a user who is still as they were when it began. */
export function readSession(content: AccessContent, cookie: string, now: number): Session | null {
  const session = readSigned(content.sessionKey, "session", cookie, sessionSchema);
  if (session === null || now >= session.begun + SESSION_MS || now >= session.seen + IDLE_MS) return null;
  const user = content.users.find(({ name, epoch }) => name === session.user && epoch === session.epoch);
  if (!user) return null;
  const stale = now - session.seen >= REFRESH_MS;
  return {
    id: session.id,
    identity: { actor: `user:${user.name}`, role: user.role, via: "session" },
    endsAt: session.begun + SESSION_MS,
    refreshed: stale ? sign(content.sessionKey, "session", { ...session, seen: now }) : null,
  };
}

/** Says that somebody gave the right password a moment ago. */
export function makeTicket({ sessionKey }: AccessContent, { name, epoch }: UserEntry, now: number): string {
  return sign(sessionKey, "ticket", { user: name, epoch, until: now + TICKET_MS });
}

export function readTicket(content: AccessContent, text: string, now: number): UserEntry | null {
  const ticket = readSigned(content.sessionKey, "ticket", text, ticketSchema);
  if (ticket === null || now >= ticket.until) return null;
  return content.users.find(({ name, epoch }) => name === ticket.user && epoch === ticket.epoch) ?? null;
}

/** Says that this user has logged in from here before: others who fail cannot lock them out here. */
export function makeDevice({ sessionKey }: AccessContent, { name, epoch }: UserEntry): string {
  return sign(sessionKey, "device", { user: name, epoch, id: randomBytes(12).toString("base64url") });
}

/** Its id, where it is one of that user. */
export function readDevice(content: AccessContent, text: string, userName: string): string | null {
  const device = readSigned(content.sessionKey, "device", text, deviceSchema);
  if (device === null || device.user !== userName) return null;
  return content.users.some(({ name, epoch }) => name === userName && epoch === device.epoch) ? device.id : null;
}
