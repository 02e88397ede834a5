import { createHash, randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { hidePasswords } from "@trivault/core";
import { z } from "zod";
import { AUDIT_ACTIONS, AUDIT_OUTCOMES, type AuditEvent, type RecordedEvent } from "./event.ts";

/** What a line continues, and is continued by. */
export interface Link {
  readonly seq: number;
  /** ISO 8601, UTC, milliseconds: such texts sort as the times do. */
  readonly at: string;
  readonly hash: string;
}

export const GENESIS: Link = { seq: 0, at: new Date(0).toISOString(), hash: "0".repeat(64) };

const MAX_TEXT = 4000;
const MAX_DETAILS = 50;
/** `,"hash":"…"}`: what is cut off a line, and replaced by `}`, before it is hashed. */
const HASH_TAIL = /^,"hash":"[0-9a-f]{64}"\}$/;
const HASH_TAIL_BYTES = 75;

export const hashSchema = z.string().regex(/^[0-9a-f]{64}$/);
/** As `Date.toISOString` writes it. */
export const timeSchema = z.iso.datetime({ precision: 3 });
const linkSchema = z.object({ seq: z.int().positive(), at: timeSchema, prev: hashSchema, hash: hashSchema });

const eventFields = {
  action: z.enum(AUDIT_ACTIONS),
  outcome: z.enum(AUDIT_OUTCOMES),
  actor: z.string(),
  database: z.string().optional(),
  backupId: z.string().optional(),
  tier: z.string().optional(),
  seconds: z.number().optional(),
  bytes: z.number().optional(),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])).optional(),
  host: z.string(),
  pid: z.int(),
  /** Random: by it an event that was spilled is known again. */
  id: z.string(),
};
const unwrittenSchema = z.object({ time: timeSchema, ...eventFields });
const recordedSchema = z.object({
  seq: z.int().positive(),
  at: timeSchema,
  time: timeSchema.optional(),
  ...eventFields,
});

/** An event on its way to the audit log. */
export type Unwritten = z.infer<typeof unwrittenSchema>;

/** What an event becomes before anything is written: bounded, without passwords in its texts, of its known fields alone. */
export function prepare(event: AuditEvent, now: Date): Unwritten {
  const { error, details } = event;
  return {
    time: now.toISOString(),
    action: event.action,
    outcome: event.outcome,
    actor: clip(event.actor),
    database: event.database === undefined ? undefined : clip(event.database),
    backupId: event.backupId === undefined ? undefined : clip(event.backupId),
    tier: event.tier === undefined ? undefined : clip(event.tier),
    seconds: finite(event.seconds, 3),
    bytes: finite(event.bytes, 0),
    error: error && { code: clip(error.code), message: clip(error.message) },
    details: details && tidy(details),
    host: hostname(),
    pid: process.pid,
    id: randomUUID(),
  };
}

function tidy(details: NonNullable<AuditEvent["details"]>): NonNullable<Unwritten["details"]> {
  const known = Object.entries(details).slice(0, MAX_DETAILS);
  return Object.fromEntries(
    known.map(([name, value]) => {
      if (typeof value === "string") return [clip(name), clip(value)];
      return [clip(name), typeof value === "number" ? (finite(value, 6) ?? null) : value];
    }),
  );
}

function clip(text: string): string {
  const clean = hidePasswords(text);
  return clean.length <= MAX_TEXT ? clean : `${clean.slice(0, MAX_TEXT)}…`;
}

function finite(value: number | undefined, digits: number): number | undefined {
  return value !== undefined && Number.isFinite(value) ? Number(value.toFixed(digits)) : undefined;
}

/** The line for an event, as it follows on `after`. */
export function writeLine(event: Unwritten, after: Link, at: string): { readonly text: string; readonly link: Link } {
  const { time, ...rest } = event;
  const seq = after.seq + 1;
  const apart = Math.abs(Date.parse(at) - Date.parse(time)) >= 1000;
  const body = JSON.stringify({ seq, at, ...(apart ? { time } : {}), ...rest, prev: after.hash });
  const hash = createHash("sha256").update(body).digest("hex");
  return { text: `${body.slice(0, -1)},"hash":"${hash}"}\n`, link: { seq, at, hash } };
}

/** Null for what is no line of a record: not of its form, or its hash is not that of its content. */
export function readLink(line: Buffer): (Link & { readonly prev: string }) | null {
  const cut = line.length - HASH_TAIL_BYTES;
  if (cut < 1 || !HASH_TAIL.test(line.toString("latin1", cut))) return null;
  const hash = createHash("sha256").update(line.subarray(0, cut)).update("}").digest("hex");
  const link = linkSchema.safeParse(parseJson(line)).data;
  return link?.hash === hash ? link : null;
}

/** Null for what cannot be read, or holds an action that this version does not know. Hashes are `verify`'s business. */
export function readEvent(line: Buffer): (RecordedEvent & { readonly id: string }) | null {
  const read = recordedSchema.safeParse(parseJson(line)).data;
  if (read === undefined) return null;
  const { seq, at, time, ...event } = read;
  return { seq, at: new Date(at), ...(time === undefined ? {} : { time: new Date(time) }), ...event };
}

export function readUnwritten(line: Buffer): Unwritten | null {
  return unwrittenSchema.safeParse(parseJson(line)).data ?? null;
}

function parseJson(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString("utf8"));
  } catch {
    return null;
  }
}
