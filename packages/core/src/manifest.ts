import { z } from "zod";
import { TrivaultError } from "./errors.ts";
import { isBackupId } from "./ids.ts";
import { rawManifest } from "./manifest-bytes.ts";

/**
 * `manifest.json`, the last object written of every copy: its presence says that the copy is complete. It lists every
 * segment with its size and hash, and nothing about the data itself. On a tier it stands in an envelope
 * `{ "manifest": {…}, "signature": {…} }`; what is signed is `canonicalBytes(manifest)`.
 */

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const size = z.int().nonnegative();

/**
 * One object of a backup: as it lies on a tier (`size`, `sha256`) and what it opens to (`plainSize`). Backups made before
 * 2026-12 also list the hash of what it opens to, which is then checked, too.
 */
export const segmentSchema = z.strictObject({
  name: z.string().regex(/^(?:data-\d{6}|globals|details)\.zst(?:\.age)?$/),
  size,
  sha256,
  plainSize: size,
  plainSha256: sha256.optional(),
});
export type Segment = z.infer<typeof segmentSchema>;

export const manifestSchema = z.strictObject({
  format: z.literal("trivault-backup"),
  version: z.literal(1),
  id: z.string().refine(isBackupId),
  database: z.string().min(1).max(255),
  startedAt: z.iso.datetime(),
  completedAt: z.iso.datetime(),
  /** Versions of what made it, e.g. `{ trivault: "0.1.0", pg_dump: "17.2", zstd: "1.5.6" }`. */
  tools: z.record(z.string().max(40), z.string().max(80)),
  server: z.strictObject({ version: z.string().max(80), major: z.int().positive() }),
  /** What the data segments open to; absent means an archive for pg_restore. `sql` is a script for psql (docs/adopt.md). */
  content: z.enum(["pg_dump", "sql"]).optional(),
  encryption: z.enum(["age", "none"]),
  recipients: z.array(z.string().max(4096)).max(64),
  segments: z.array(segmentSchema).min(1).max(1_000_000),
});
export type Manifest = z.infer<typeof manifestSchema>;

export const signatureSchema = z.strictObject({
  algorithm: z.literal("ed25519"),
  /** `tvsign1…`: see packages/crypto signature.ts. */
  publicKey: z.string().max(200),
  /** base64 of the 64 bytes of RFC 8032. */
  value: z.string().max(200),
});
export type Signature = z.infer<typeof signatureSchema>;

const envelopeSchema = z.strictObject({ manifest: manifestSchema, signature: signatureSchema.optional() });
export type SignedManifest = z.infer<typeof envelopeSchema>;

/** 1,000,000 segments take about 300 bytes each. */
export const MAX_MANIFEST_BYTES = 320 * 1024 * 1024;

/** What is read of somebody else's: 27,000 segments, which are 400 GB by default. */
export const MAX_UNTRUSTED_MANIFEST_BYTES = 8 * 1024 * 1024;

/** What the manifest of so many objects can need, or that of a backup of which nothing else is left. */
export function manifestBytesOf(objects: number): number {
  return Math.min(MAX_MANIFEST_BYTES, MAX_UNTRUSTED_MANIFEST_BYTES + 400 * objects);
}

/** The bytes that are signed: JSON with sorted keys and no spaces (RFC 8785, for our strings and safe integers). */
export function canonicalBytes(value: object): Buffer {
  return Buffer.from(JSON.stringify(sortKeys(value)), "utf8");
}

/** `manifest.json` as it is written: readable, one segment a line. */
export function encodeManifest(signed: SignedManifest): Buffer {
  return Buffer.from(`${JSON.stringify(signed, null, 1)}\n`, "utf8");
}

/** Reads `manifest.json` from a tier, which is untrusted input: throws CORRUPT unless it is of our schema and consistent. */
export function decodeManifest(bytes: Uint8Array, expected?: { database: string; id: string }): SignedManifest {
  if (rawManifest(bytes) === null) throw corrupt("it is not the JSON of a manifest");
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (cause) {
    throw corrupt("it is not JSON", cause);
  }
  const parsed = envelopeSchema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw corrupt(`${issue?.path.join(".") || "it"}: ${issue?.message ?? "unknown"}`, parsed.error);
  }
  const { manifest } = parsed.data;
  if (expected && (manifest.id !== expected.id || manifest.database !== expected.database)) {
    throw corrupt(`it is that of backup ${manifest.database}/${manifest.id} (a swapped file?)`);
  }
  const problem = inconsistency(manifest);
  if (problem) throw corrupt(problem);
  return parsed.data;
}

/** Data segments in the order in which they are concatenated. */
export function dataSegments(manifest: Manifest): Segment[] {
  return manifest.segments.filter((segment) => segment.name.startsWith("data-"));
}

export function totalSize(manifest: Manifest): number {
  return manifest.segments.reduce((sum, segment) => sum + segment.size, 0);
}

function inconsistency(manifest: Manifest): string | null {
  const suffix = manifest.encryption === "age" ? ".zst.age" : ".zst";
  const names = new Set(manifest.segments.map((segment) => segment.name));
  if (names.size !== manifest.segments.length) return "a segment is listed twice";
  if (manifest.segments.some((segment) => !segment.name.endsWith(suffix)))
    return "a segment does not fit its encryption";
  const data = dataSegments(manifest);
  const gap = data.some((segment, i) => segment.name !== `data-${String(i + 1).padStart(6, "0")}${suffix}`);
  return gap || data.length === 0 ? "its data segments are not numbered from 1 without a gap" : null;
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sortKeys(inner)]),
  );
}

function corrupt(why: string, cause?: unknown): TrivaultError {
  return new TrivaultError("CORRUPT", `The manifest cannot be used: ${why}.`, { permanent: true, cause });
}
