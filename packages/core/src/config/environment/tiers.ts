import { FIELDS, type Values, type Variable } from "./fields.ts";
import type { Problem } from "../model/problems.ts";
import type { S3TierConfig, SftpTierConfig, TierConfig } from "../model/types.ts";
import { withoutTrailing } from "../../without-trailing.ts";

export type Absolute = (file: string) => string;
/** What a tier of the environment has in common with every other. */
export const OF_ENVIRONMENT = { origin: "environment", budget: null, prices: {} } as const;

/** The tiers `remote` and `cloud`, where the environment sets them. */
export function tiersOfEnvironment(values: Values, absolute: Absolute): TierConfig[] {
  const all: TierConfig[] = [];
  if (values.BACKUP_REMOTE_SERVER !== undefined) all.push(remoteTier(values, values.BACKUP_REMOTE_SERVER, absolute));
  if (values.BACKUP_S3_BUCKET !== undefined) all.push(cloudTier(values, values.BACKUP_S3_BUCKET));
  return all;
}

export function checkTiersOfEnvironment(
  given: (variable: Variable) => boolean,
  need: (variable: Variable, why: string) => void,
  problems: Problem[],
): void {
  if (!given("BACKUP_S3_BUCKET") && (given("BACKUP_CLOUD_PROVIDER") || given("BACKUP_S3_ENDPOINT"))) {
    need("BACKUP_S3_BUCKET", "a cloud tier needs a bucket");
  }
  if (!given("BACKUP_REMOTE_SERVER")) {
    if (given("BACKUP_REMOTE_DIR")) need("BACKUP_REMOTE_SERVER", "BACKUP_REMOTE_DIR is set");
    return;
  }
  need("BACKUP_SSH_USER", "the remote tier needs a login");
  need("BACKUP_SSH_KEY", "the remote tier logs in by key");
  need("BACKUP_REMOTE_DIR", "the remote tier needs a folder");
  if (!given("BACKUP_SSH_HOST_KEY") && !given("BACKUP_SSH_KNOWN_HOSTS")) {
    const message = `or BACKUP_SSH_KNOWN_HOSTS must be set: without it any server could pose as yours; it takes ${FIELDS.BACKUP_SSH_HOST_KEY.right}.`;
    problems.push({ variable: "BACKUP_SSH_HOST_KEY", message });
  }
}

function remoteTier(values: Values, server: string, absolute: Absolute): SftpTierConfig {
  const [, host = "", port = "22"] = /^(.*?)(?::(\d+))?$/.exec(server) ?? [];
  const fingerprint = values.BACKUP_SSH_HOST_KEY?.replace(/=$/, "");
  return {
    ...OF_ENVIRONMENT,
    name: "remote",
    kind: "sftp",
    host: host.replace(/^\[|\]$/g, ""),
    port: Number(port),
    user: values.BACKUP_SSH_USER ?? "",
    keyFile: absolute(values.BACKUP_SSH_KEY ?? ""),
    directory: withoutSlash(values.BACKUP_REMOTE_DIR ?? ""),
    hostKey:
      fingerprint === undefined ? { knownHostsFile: absolute(values.BACKUP_SSH_KNOWN_HOSTS ?? "") } : { fingerprint },
  };
}

function cloudTier(values: Values, bucket: string): S3TierConfig {
  return {
    ...OF_ENVIRONMENT,
    name: "cloud",
    kind: "s3",
    bucket,
    prefix: values.BACKUP_S3_PREFIX ?? "",
    region: values.BACKUP_CLOUD_REGION ?? "us-east-1",
    endpoint: values.BACKUP_S3_ENDPOINT ?? null,
    pathStyle: values.BACKUP_S3_PATH_STYLE ?? values.BACKUP_S3_ENDPOINT !== undefined,
    verify: values.BACKUP_S3_VERIFY ?? "server",
    conditionalPut: values.BACKUP_S3_CONDITIONAL_PUT ?? true,
    credentials: null,
    storageClass: null,
    lifecycle: [],
  };
}

export function withoutSlash(directory: string): string {
  return withoutTrailing(directory, "/") || directory.slice(0, 1);
}
