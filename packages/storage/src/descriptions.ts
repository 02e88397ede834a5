import type { S3TierConfig, SftpTierConfig } from "@trivault/core";

/** How messages name a store. Here, so that a store can be named before its module is loaded. */
export function sftpDescription({ user, host, port, directory }: SftpTierConfig): string {
  return `sftp://${user}@${host}:${port}/${directory}`;
}

export function s3Description({ bucket, prefix }: S3TierConfig): string {
  return `s3://${[bucket, prefix].filter(Boolean).join("/")}`;
}
