import { encodeManifest, type Manifest } from "@trivault/core";
import { signManifest, type SigningKey } from "@trivault/crypto";
import type { BackupRef } from "../src/site.ts";

/** The manifest, as it lies on a tier, of a backup of one segment that is not looked at; unsigned without a key. */
export function sampleManifest({ database, backupId }: BackupRef, key: SigningKey | null, at: string): Uint8Array {
  const sha256 = "0".repeat(64);
  const manifest: Manifest = {
    format: "trivault-backup",
    version: 1,
    id: backupId,
    database,
    startedAt: at,
    completedAt: at,
    tools: {},
    server: { version: "17.0", major: 17 },
    encryption: "none",
    recipients: [],
    segments: [{ name: "data-000001.zst", size: 1, sha256, plainSize: 1, plainSha256: sha256 }],
  };
  return encodeManifest(key === null ? { manifest } : signManifest(manifest, key));
}
