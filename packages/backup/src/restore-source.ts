import { promisify } from "node:util";
import { zstdDecompress } from "node:zlib";
import {
  background,
  dataSegments,
  type Manifest,
  messageOf,
  type Segment,
  type SignedManifest,
  totalSize,
  TrivaultError,
} from "@trivault/core";
import { createOpener, type Opener } from "@trivault/crypto";
import { type Details, detailsSchema } from "@trivault/postgres";
import type { Tier } from "@trivault/storage";
import { readManifest } from "./copies.ts";
import { fetchSegment } from "./fetch.ts";
import type { BackupSummary } from "./list.ts";
import type { Progress, StageContext } from "./site.ts";
import { provesBad } from "./standing.ts";
import { isTrusted, requireTrusted, type Trust } from "./trust.ts";

/** Larger than the description of any database we could restore; a bound on what a tier can make us hold. */
const MAX_EXTRA_BYTES = 256 * 1024 * 1024;

export interface BackupSource {
  readonly manifest: Manifest;
  readonly details: Details | null;
  readonly globals: () => Promise<Buffer | null>;
  /** The zstd stream, segment by segment, each verified whole before it is yielded; the next two are read meanwhile. */
  readonly data: () => AsyncGenerator<Uint8Array>;
  readonly segmentsFrom: Map<string, number>;
  readonly damage: { tier: string; problem: string }[];
  readonly close: () => Promise<void>;
}

export async function openSource(
  asked: readonly Tier[],
  backup: BackupSummary,
  trust: Trust,
  allowUnsigned: boolean,
  context: Pick<StageContext, "signal" | "note" | "progress">,
): Promise<BackupSource> {
  const holders = asked.filter((tier) => backup.copies.some((copy) => copy.tier === tier.name && copy.complete));
  const damage: BackupSource["damage"] = [];
  const onBad = (tier: string, problem: string) => {
    damage.push({ tier, problem });
    context.note(`${tier} is passed over: ${problem}`);
  };
  const { manifest } = await readTrusted(holders, backup, trust, allowUnsigned, onBad, context.signal);
  if (manifest.encryption === "age" && trust.identities === null) {
    throw new TrivaultError(
      "KEY_FILE",
      "This backup is encrypted: set BACKUP_IDENTITY_FILE to the identity file that `npm run backup:keys:generate` wrote.",
      { permanent: true },
    );
  }
  const ref = { database: backup.database, backupId: backup.id };
  const opener: Opener = createOpener(manifest.encryption === "age" ? trust.identities : null);
  const segmentsFrom = new Map<string, number>();
  const fetch = async (segment: Segment) => {
    const { plain, tier } = await fetchSegment(holders, ref, segment, opener, { signal: context.signal, onBad });
    segmentsFrom.set(tier, (segmentsFrom.get(tier) ?? 0) + 1);
    return plain;
  };
  const extra = async (stem: string): Promise<Buffer | null> => {
    const segment = manifest.segments.find(({ name }) => name.startsWith(`${stem}.`));
    return segment ? promisify(zstdDecompress)(await fetch(segment), { maxOutputLength: MAX_EXTRA_BYTES }) : null;
  };
  try {
    const details = await extra("details");
    return {
      manifest,
      details: details && detailsSchema.parse(JSON.parse(details.toString("utf8"))),
      globals: () => extra("globals"),
      data: () => readAhead(dataSegments(manifest), fetch, totalSize(manifest), context.progress),
      segmentsFrom,
      damage,
      close: () => opener.close(),
    };
  } catch (error) {
    await opener.close();
    throw error;
  }
}

/** From any tier that has a trusted one, also where others are let pass: who can write to one tier must not shadow the rest. */
export async function readTrusted(
  holders: readonly Tier[],
  backup: BackupSummary,
  trust: Trust,
  allowUnsigned: boolean,
  onBad: (tier: string, problem: string) => void,
  signal: AbortSignal,
): Promise<SignedManifest> {
  let last: unknown;
  let passable: SignedManifest | null = null;
  let unread: unknown;
  for (const tier of holders) {
    try {
      const ref = { database: backup.database, backupId: backup.id };
      const stored = await readManifest(tier, ref, { signal, trustedKeys: trust.trustedKeys, anyOrigin: true });
      if (!stored) continue;
      requireTrusted(stored.signed, trust, allowUnsigned);
      if (isTrusted(stored.signed, trust.trustedKeys)) return stored.signed;
      passable ??= stored.signed;
    } catch (error) {
      signal.throwIfAborted();
      last = error;
      if (!provesBad(error)) unread ??= error;
      onBad(tier.name, messageOf(error));
    }
  }
  if (passable !== null) return passable;
  // Where one tier could not be read, that the others have no good manifest does not mean that there is none.
  throw unread ?? last ?? new TrivaultError("NOT_FOUND", `Backup ${backup.id} vanished while it was being read.`);
}

/** Read and opened while the one before them is being restored: one that is opened does not hold up the network. */
const AHEAD = 2;

async function* readAhead(
  segments: readonly Segment[],
  fetch: (segment: Segment) => Promise<Uint8Array>,
  totalBytes: number,
  progress: (progress: Progress) => void,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  const ahead = segments.slice(0, AHEAD).map((segment) => background(fetch(segment)));
  for (const [index, segment] of segments.entries()) {
    const plain = await ahead.shift();
    const next = segments[index + AHEAD];
    if (next) ahead.push(background(fetch(next)));
    if (plain) yield plain;
    bytes += segment.size;
    progress({ bytes, totalBytes, segments: index + 1 });
  }
}
