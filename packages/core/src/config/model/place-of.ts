import { hidePasswords } from "../../hide-passwords.ts";
import type { TierConfig } from "./types.ts";

/** Where a tier is, for people; no secret. */
export function placeOf(tier: TierConfig): string {
  if (tier.kind === "local") return tier.directory;
  if (tier.kind === "sftp") return `${tier.user}@${tier.host} port ${tier.port}, folder ${tier.directory}`;
  const bucket = [tier.bucket, tier.prefix].filter((part) => part !== "").join("/");
  return `bucket ${bucket} at ${tier.endpoint === null ? `AWS, ${tier.region}` : hidePasswords(tier.endpoint)}`;
}
