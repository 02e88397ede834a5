import {
  awsKeySettings,
  codeOf,
  hidePasswords,
  messageOf,
  type S3TierConfig,
  settingOf,
  TrivaultError,
} from "@trivault/core";
import { refused } from "./store-errors.ts";

/** The HTTP status of an answer that the SDK made an error of. */
export function statusOf(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null || !("$metadata" in error)) return undefined;
  const metadata = error.$metadata;
  const known = typeof metadata === "object" && metadata !== null && "httpStatusCode" in metadata;
  return known && typeof metadata.httpStatusCode === "number" ? metadata.httpStatusCode : undefined;
}

export function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : "";
}

/** Whether the same request may succeed a moment later. */
export function mayPass(error: unknown): boolean {
  if (error instanceof TrivaultError) return false;
  const status = statusOf(error);
  return status === undefined ? !isOwnFault(nameOf(error)) : status >= 500 || [408, 409, 429].includes(status);
}

/** The credentials are missing, or the request could not even be made. */
function isOwnFault(name: string): boolean {
  return ["CredentialsProviderError", "TokenProviderError", "TypeError", "RangeError"].includes(name);
}

/** What S3 or the SDK says, in our codes, with what to do. */
export function s3Error(error: unknown, config: S3TierConfig, doing: string): TrivaultError {
  if (error instanceof TrivaultError) return error;
  const server = config.endpoint ?? `AWS (${config.region})`;
  const where = `${config.name} tier, bucket ${config.bucket} at ${server}: ${doing} failed`;
  switch (nameOf(error)) {
    case "NoSuchBucket":
      return refused(
        `${where}: there is no such bucket. Create it, or correct ${settingOf(config, "bucket")} (or its endpoint or region).`,
        error,
      );
    case "SignatureDoesNotMatch":
      return refused(`${where}: the secret key is wrong. Correct ${awsKeySettings(config).secret}.`, error);
    case "InvalidAccessKeyId":
      return refused(`${where}: it does not know the access key. Correct ${awsKeySettings(config).id}.`, error);
    case "ExpiredToken":
    case "ExpiredTokenException":
      return refused(`${where}: the session token has expired. Renew the credentials.`, error);
    case "CredentialsProviderError":
      return refused(
        `${where}: no AWS credentials were found. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY${ownKeys(config)}, an AWS profile, or run ` +
          `with an instance role. (${messageOf(error)})`,
        error,
      );
    case "RequestTimeTooSkewed":
      return refused(`${where}: this machine's clock is wrong by minutes. Set it right (NTP).`, error);
    case "PermanentRedirect":
    case "AuthorizationHeaderMalformed":
    case "IllegalLocationConstraintException":
      return refused(
        `${where}: the bucket is in another region. Correct ${settingOf(config, "region")}. (${messageOf(error)})`,
        error,
      );
    case "QuotaExceeded":
    case "StorageFull":
    case "XMinioStorageFull":
      return new TrivaultError("STORE_FULL", `${where}: the storage is full. Raise its quota or keep fewer backups.`, {
        cause: error,
      });
  }
  const status = statusOf(error);
  const said = hidePasswords(messageOf(error));
  if (status === 403) {
    return refused(
      `${where}: access denied. The credentials need s3:ListBucket on the bucket and s3:GetObject, s3:PutObject and ` +
        `s3:DeleteObject on its objects. (${said})`,
      error,
    );
  }
  if (status !== undefined && status < 500 && ![408, 409, 429].includes(status)) {
    return refused(
      `${where}: the server answered ${status} ${nameOf(error)}: ${said}. Look at ${settingsOf(config)}.`,
      error,
    );
  }
  if (status !== undefined) {
    return new TrivaultError(
      "STORE_FAILED",
      `${where}: the server answered ${status} ${nameOf(error)}: ${said}. Try later.`,
      {
        cause: error,
      },
    );
  }
  return new TrivaultError("STORE_UNREACHABLE", `${where}: ${unreachable(error, config, said)}`, { cause: error });
}

function unreachable(error: unknown, config: S3TierConfig, said: string): string {
  switch (codeOf(error) ?? /\b(E[A-Z_]{4,})\b/.exec(said)?.[1]) {
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `its name is not known. Correct ${addressSetting(config)}, or look at this machine's DNS.`;
    case "ECONNREFUSED":
      return `nothing listens there. Start that server, or correct ${addressSetting(config)}.`;
    default:
      return `the connection was lost or never came about (${said}). It is tried again later; look at the network if it lasts.`;
  }
}

/** What says where the server is. */
export function addressSetting(config: S3TierConfig): string {
  return settingOf(config, config.endpoint === null ? "region" : "endpoint");
}

function settingsOf({ name, origin }: S3TierConfig): string {
  return origin === "environment" ? `the settings of the ${name} tier (BACKUP_S3_…)` : `${origin.at} in ${origin.file}`;
}

function ownKeys({ origin }: S3TierConfig): string {
  return origin === "environment" ? "" : `, ${origin.at}.credentials in ${origin.file}`;
}
