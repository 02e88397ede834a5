import {
  DeleteBucketLifecycleCommand,
  GetBucketLifecycleConfigurationCommand,
  type GetBucketLifecycleConfigurationOutput,
  type LifecycleRule,
  PutBucketLifecycleConfigurationCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { messageOf, type S3TierConfig, sha256Hex } from "@trivault/core";
import { type S3Options, s3Connection } from "./s3-connection.ts";
import { nameOf, s3Error, statusOf } from "./s3-errors.ts";

export interface LifecycleResult {
  /** `refused`: the server knows no such rules, does not allow them, or does not take these. */
  readonly outcome: "unchanged" | "applied" | "refused";
  /** For people, with what to do; null unless it was refused. */
  readonly message: string | null;
}

export type LifecycleOptions = { readonly signal?: AbortSignal } & Pick<S3Options, "credentials">;

const UNCHANGED: LifecycleResult = { outcome: "unchanged", message: null };

/**
 * Sees to it that the bucket moves this tier's objects into later storage classes as they grow old: one rule of ours, named
 * after the tier's prefix, among whatever rules others have set there. A bucket has one list of rules, written as a whole:
 * so it is read first, and written only where ours differs. Throws where the server cannot be reached.
 */
export async function applyLifecycle(
  config: S3TierConfig,
  { signal, credentials = config.credentials ?? undefined }: LifecycleOptions = {},
): Promise<LifecycleResult> {
  const timeouts = { connectTimeoutMs: 10_000, idleTimeoutMs: 60_000 };
  const { client, attempt } = s3Connection(config, `s3://${config.bucket}`, { ...timeouts, credentials });
  try {
    return await attempt("setting its lifecycle rules", signal, async ({ abortSignal }) => {
      try {
        return await apply(client, config, abortSignal);
      } catch (error) {
        const message = refusal(error, config);
        if (message === null) throw error;
        // Where none are asked for, nobody cares that none could be set.
        return config.lifecycle.length === 0 ? UNCHANGED : { outcome: "refused", message };
      }
    });
  } finally {
    client.destroy();
  }
}

async function apply(client: S3Client, config: S3TierConfig, abortSignal: AbortSignal): Promise<LifecycleResult> {
  const bucket = { Bucket: config.bucket };
  const found = await readRules(client, config, abortSignal);
  const id = ruleId(config);
  const rules = found.Rules ?? [];
  const ours = rules.filter(({ ID }) => ID === id);
  const wanted = config.lifecycle.length === 0 ? [] : [ruleOf(config)];
  if (JSON.stringify(ours.map(essence)) === JSON.stringify(wanted.map(essence))) return UNCHANGED;
  const all = [...rules.filter(({ ID }) => ID !== id), ...wanted];
  if (all.length === 0) {
    await client.send(new DeleteBucketLifecycleCommand(bucket), { abortSignal });
  } else {
    // The bucket's own limit for small objects goes back to its default where it is not said again.
    const { TransitionDefaultMinimumObjectSize: smallest } = found;
    const command = new PutBucketLifecycleConfigurationCommand({
      ...bucket,
      LifecycleConfiguration: { Rules: all },
      ...(smallest === undefined ? {} : { TransitionDefaultMinimumObjectSize: smallest }),
    });
    await client.send(command, { abortSignal });
  }
  return { outcome: "applied", message: null };
}

async function readRules(
  client: S3Client,
  { bucket }: S3TierConfig,
  abortSignal: AbortSignal,
): Promise<Pick<GetBucketLifecycleConfigurationOutput, "Rules" | "TransitionDefaultMinimumObjectSize">> {
  try {
    return await client.send(new GetBucketLifecycleConfigurationCommand({ Bucket: bucket }), { abortSignal });
  } catch (error) {
    if (nameOf(error) === "NoSuchLifecycleConfiguration") return {};
    throw error;
  }
}

/** At most 255 characters, which a long prefix would pass. */
function ruleId({ prefix }: S3TierConfig): string {
  const name = prefix.length <= 200 ? prefix : sha256Hex(Buffer.from(prefix));
  return `trivault:${name}:transitions`;
}

function ruleOf(config: S3TierConfig): LifecycleRule {
  return {
    ID: ruleId(config),
    Status: "Enabled",
    Filter: { Prefix: config.prefix === "" ? "" : `${config.prefix}/` },
    Transitions: config.lifecycle.map(({ afterDays, storageClass }) => ({
      Days: afterDays,
      StorageClass: storageClass as NonNullable<LifecycleRule["Transitions"]>[number]["StorageClass"],
    })),
  };
}

/** What makes one rule differ from another, however a server writes it. Whatever somebody added to ours shows up too. */
function essence({ ID, Status, Filter, Prefix, Transitions = [], ...others }: LifecycleRule): unknown {
  const added = Object.entries(others).filter(([, value]) => value !== undefined);
  const { Prefix: prefix = Prefix ?? "", ...narrower } = Filter ?? {};
  const steps = Transitions.map(({ Days = 0, StorageClass }) => [Days, StorageClass] as const);
  return [ID, Status, prefix, Object.entries(narrower), steps.toSorted(([a], [b]) => a - b), added];
}

/** Null for what may pass, or is wrong with more than these rules. */
function refusal(error: unknown, config: S3TierConfig): string | null {
  const tier = `The ${config.name} tier, bucket ${config.bucket}:`;
  const stays = "Backups stay in the class they were put with meanwhile.";
  switch (nameOf(error)) {
    case "AccessDenied":
      return (
        `${tier} its lifecycle rules may not be set. Allow s3:GetLifecycleConfiguration and s3:PutLifecycleConfiguration on ` +
        `the bucket, or take lifecycle out of the tier's configuration. ${stays}`
      );
    case "NotImplemented":
    case "MethodNotAllowed":
      return `${tier} this server knows no lifecycle rules. Take lifecycle out of the tier's configuration. ${stays}`;
    case "InvalidArgument":
    case "InvalidRequest":
    case "InvalidStorageClass":
    case "MalformedXML":
      return (
        `${tier} the server does not take the rules of the tier's lifecycle (${messageOf(error)}). AWS, for one, takes ` +
        `STANDARD_IA after 30 days at the earliest, and wants 30 days between two classes. ${stays}`
      );
  }
  return statusOf(error) === 403 ? s3Error(error, config, "setting its lifecycle rules").message : null;
}
