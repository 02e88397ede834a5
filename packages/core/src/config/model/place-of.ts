import { hidePasswords } from "../../hide-passwords.ts";
import type { TierConfig } from "./types.ts";

/**
 * Where a tier is, for comparing: two tiers with the same one take each other's backups for their own. Users of one SFTP server
 * see folders of their own, so they are part of it; the region of a bucket is not, as many servers ignore it.
 */
export function placeIdOf(tier: TierConfig): string {
  if (tier.kind === "local") return JSON.stringify(tier.directory);
  if (tier.kind === "sftp") return JSON.stringify([tier.host.toLowerCase(), tier.port, tier.user, tier.directory]);
  return JSON.stringify([tier.endpoint, tier.bucket, tier.prefix]);
}

/** Where a tier is, for people; no secret. */
export function placeOf(tier: TierConfig): string {
  if (tier.kind === "local") return tier.directory;
  if (tier.kind === "sftp") return `${tier.user}@${tier.host} port ${tier.port}, folder ${tier.directory}`;
  const bucket = [tier.bucket, tier.prefix].filter((part) => part !== "").join("/");
  return `bucket ${bucket} at ${tier.endpoint === null ? `AWS, ${tier.region}` : hidePasswords(tier.endpoint)}`;
}
