import { expect, test } from "@jest/globals";
import { resolveConfig } from "../resolve/resolve.ts";
import { placeIdOf } from "./place-of.ts";
import type { S3TierConfig, SftpTierConfig, TierConfig } from "./types.ts";

const { tiers } = resolveConfig(
  {
    BACKUP_REMOTE_SERVER: "nas.example.org",
    BACKUP_SSH_USER: "ann",
    BACKUP_SSH_KEY: "/etc/trivault/id_ed25519",
    BACKUP_REMOTE_DIR: "/backups",
    BACKUP_SSH_KNOWN_HOSTS: "/etc/ssh/known_hosts",
    BACKUP_S3_BUCKET: "copies",
    BACKUP_S3_REGION: "eu-central-1",
  },
  "read",
);
const isSame = (a: TierConfig, b: TierConfig) => placeIdOf(a) === placeIdOf(b);
const of = <Kind extends TierConfig["kind"]>(kind: Kind) =>
  tiers.find((tier): tier is Extract<TierConfig, { kind: Kind }> => tier.kind === kind);

test("each tier of a site is at a place of its own", () => {
  expect(tiers.map(({ kind }) => kind)).toEqual(["local", "sftp", "s3"]);
  expect(new Set(tiers.map(placeIdOf)).size).toBe(3);
});

test("two users of one SFTP server are two places; its name in capitals is one", () => {
  const sftp = of("sftp") as SftpTierConfig;
  expect(isSame(sftp, { ...sftp, user: "bob" })).toBe(false);
  expect(isSame(sftp, { ...sftp, directory: "/other" })).toBe(false);
  expect(isSame(sftp, { ...sftp, port: 2222 })).toBe(false);
  expect(isSame(sftp, { ...sftp, host: "NAS.example.org", name: "again" })).toBe(true);
});

test("a bucket is one place, whatever region is said; each prefix is another", () => {
  const s3 = of("s3") as S3TierConfig;
  expect(isSame(s3, { ...s3, region: "us-east-1" })).toBe(true);
  expect(isSame(s3, { ...s3, prefix: "other" })).toBe(false);
  expect(isSame(s3, { ...s3, endpoint: "https://s3.example.org" })).toBe(false);
});
