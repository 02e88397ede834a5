import { expect, test } from "@jest/globals";
import type { Origin, S3TierConfig, SftpTierConfig } from "@trivault/core";
import { s3Error } from "./s3-errors.ts";
import { connectError } from "./sftp-errors.ts";
import { hostKeyCheck } from "./ssh-host-key.ts";
import { readKeyFile } from "./ssh-key-file.ts";

const FILE: Origin = { file: "/etc/trivault.yaml", at: "tiers.nas" };
const common = { name: "nas", budget: null, prices: {} };

const bucket = (origin: Origin): S3TierConfig => ({
  ...common,
  origin,
  kind: "s3",
  bucket: "acme",
  prefix: "",
  region: "eu-west-3",
  endpoint: "https://s3.example.org",
  pathStyle: true,
  verify: "server",
  conditionalPut: true,
  credentials: origin === "environment" ? null : { accessKeyId: "id", secretAccessKey: "key" },
  storageClass: null,
  lifecycle: [],
});
const server = (origin: Origin): SftpTierConfig => ({
  ...common,
  origin,
  kind: "sftp",
  host: "h",
  port: 22,
  user: "u",
  keyFile: "/nowhere/key",
  directory: "/d",
  hostKey: { fingerprint: "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU" },
});
const named = (name: string) => Object.assign(new Error("no"), { name });
const coded = (code: string) => Object.assign(new Error("no"), { code });

test.each<[string, Error, fromEnvironment: string, fromFile: string]>([
  ["no such bucket", named("NoSuchBucket"), "BACKUP_S3_BUCKET", "tiers.nas.bucket in /etc/trivault.yaml"],
  ["another region", named("PermanentRedirect"), "BACKUP_CLOUD_REGION", "tiers.nas.region in /etc/trivault.yaml"],
  ["nobody listens", coded("ECONNREFUSED"), "BACKUP_S3_ENDPOINT", "tiers.nas.endpoint in /etc/trivault.yaml"],
  ["no such name", coded("ENOTFOUND"), "BACKUP_S3_ENDPOINT", "tiers.nas.endpoint in /etc/trivault.yaml"],
  ["a strange key", named("InvalidAccessKeyId"), "AWS_ACCESS_KEY_ID", "tiers.nas.credentials.accessKeyIdEnv"],
  ["a wrong secret", named("SignatureDoesNotMatch"), "AWS_SECRET_ACCESS_KEY", "tiers.nas.credentials.secretAccess"],
])("an S3 tier names the setting where it was set: %s", (_, error, fromEnvironment, fromFile) => {
  const ofEnvironment = s3Error(error, bucket("environment"), "listing").message;
  const ofFile = s3Error(error, bucket(FILE), "listing").message;
  expect(ofEnvironment).toContain(fromEnvironment);
  expect(ofFile).toContain(fromFile);
  expect(ofFile).not.toMatch(/BACKUP_|AWS_/);
});

test.each<[string, Error, fromEnvironment: string, fromFile: string]>([
  ["a key that is not let in", new Error("All configured authentication methods failed"), "BACKUP_SSH_KEY", "keyFile"],
  ["nobody listens", coded("ECONNREFUSED"), "BACKUP_REMOTE_SERVER", "host"],
  ["no such name", coded("ENOTFOUND"), "BACKUP_REMOTE_SERVER", "host"],
])("an SFTP tier names the setting where it was set: %s", (_, error, fromEnvironment, fromFile) => {
  expect(connectError(error, server("environment"), "sftp://h").message).toContain(fromEnvironment);
  const ofFile = connectError(error, server(FILE), "sftp://h").message;
  expect(ofFile).toContain(`tiers.nas.${fromFile} in /etc/trivault.yaml`);
  expect(ofFile).not.toContain("BACKUP_");
});

test("so do its key files, its own and the server's", async () => {
  await expect(readKeyFile(server("environment"))).rejects.toThrow("BACKUP_SSH_KEY");
  await expect(readKeyFile(server(FILE))).rejects.toThrow("tiers.nas.keyFile in /etc/trivault.yaml");
  const shown = Buffer.from("\0\0\0\x0bssh-ed25519", "latin1");
  for (const [origin, setting] of [
    ["environment", "BACKUP_SSH_HOST_KEY"],
    [FILE, "tiers.nas.hostKey in /etc/trivault.yaml"],
  ] as const) {
    const check = await hostKeyCheck(server(origin), new Set());
    expect(check.problem(shown)?.message).toContain(setting);
  }
});
