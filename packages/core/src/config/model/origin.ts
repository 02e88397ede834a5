import type { TierConfig } from "./types.ts";

/** What the environment calls the settings of its tiers; those of the file go by their keys. */
const VARIABLES = {
  local: { directory: "BACKUP_DIR" },
  sftp: {
    host: "BACKUP_REMOTE_SERVER",
    port: "BACKUP_REMOTE_SERVER",
    user: "BACKUP_SSH_USER",
    keyFile: "BACKUP_SSH_KEY",
    directory: "BACKUP_REMOTE_DIR",
    hostKey: "BACKUP_SSH_HOST_KEY",
    knownHosts: "BACKUP_SSH_KNOWN_HOSTS",
  },
  s3: {
    bucket: "BACKUP_S3_BUCKET",
    prefix: "BACKUP_S3_PREFIX",
    region: "BACKUP_CLOUD_REGION",
    endpoint: "BACKUP_S3_ENDPOINT",
    pathStyle: "BACKUP_S3_PATH_STYLE",
    verify: "BACKUP_S3_VERIFY",
    conditionalPut: "BACKUP_S3_CONDITIONAL_PUT",
  },
} as const;

export type TierKey<T extends Pick<TierConfig, "kind">> = keyof (typeof VARIABLES)[T["kind"]] & string;

/**
 * The setting of a tier as a message names it: `BACKUP_S3_BUCKET`, or `tiers.nas.bucket in <file>`. With a value that it is to
 * be set to: `BACKUP_S3_VERIFY=readback`, or `tiers.nas.verify: readback in <file>`.
 */
export function settingOf<T extends Pick<TierConfig, "kind" | "origin">>(
  { kind, origin }: T,
  key: TierKey<T> | "storageClass",
  value?: string | boolean,
): string {
  if (origin === "environment") {
    const variables: Readonly<Record<string, string>> = VARIABLES[kind];
    return `${variables[key] ?? key}${value === undefined ? "" : `=${value}`}`;
  }
  return `${origin.at}.${key}${value === undefined ? "" : `: ${value}`} in ${origin.file}`;
}

/** Whence the access keys of an S3 tier come: variables that the file names, or those that the AWS SDK looks for. */
export function awsKeySettings({ credentials, origin }: Extract<TierConfig, { kind: "s3" }>): {
  readonly id: string;
  readonly secret: string;
} {
  if (credentials === null || origin === "environment") {
    return { id: "AWS_ACCESS_KEY_ID or the AWS profile", secret: "AWS_SECRET_ACCESS_KEY or the AWS profile" };
  }
  const named = (key: string) => `the variable that ${origin.at}.credentials.${key} in ${origin.file} names`;
  return { id: named("accessKeyIdEnv"), secret: named("secretAccessKeyEnv") };
}
