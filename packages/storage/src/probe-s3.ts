import { HeadBucketCommand, type S3Client } from "@aws-sdk/client-s3";
import type { S3TierConfig } from "@trivault/core";
import { failure, objectProbe } from "./probe-s3-objects.ts";
import { addressOf, readClock, reachServer } from "./probe-s3-server.ts";
import { resolveHost } from "./probe-network.ts";
import type { Probe } from "./probe-steps.ts";
import { s3Connection } from "./s3-connection.ts";
import { addressSetting, nameOf, statusOf } from "./s3-errors.ts";

/** Answers that speak of who asks, and not of the bucket. */
const OF_CREDENTIALS = [
  "InvalidAccessKeyId",
  "SignatureDoesNotMatch",
  "ExpiredToken",
  "ExpiredTokenException",
  "InvalidToken",
  "RequestTimeTooSkewed",
  "CredentialsProviderError",
];
const OF_BUCKET = [
  "NoSuchBucket",
  "PermanentRedirect",
  "AuthorizationHeaderMalformed",
  "IllegalLocationConstraintException",
];

export function s3Probe(config: S3TierConfig): Probe {
  const timeouts = { connectTimeoutMs: 7_000, idleTimeoutMs: 14_000 };
  const credentials = config.credentials ?? undefined;
  const { client } = s3Connection(config, `s3://${config.bucket}`, { ...timeouts, credentials });
  const objects = objectProbe(client, config);
  let look: Promise<unknown> | undefined;
  /** What the answer to the first request shows about the credentials, the bucket and the right to list. */
  const firstLook = (signal: AbortSignal) =>
    (look ??= objects.list(signal).then(
      () => null,
      (error: unknown) => error,
    ));
  const address = () => addressOf(config);
  return {
    steps: [
      {
        name: "resolve",
        run: async () => resolveHost((await address()).hostname, addressSetting(config)),
      },
      { name: "connect", needs: "resolve", run: async (signal) => reachServer(config, await address(), signal) },
      { name: "clock", needs: "connect", run: async (signal) => readClock(await address(), signal) },
      {
        name: "credentials",
        needs: "connect",
        async run(signal) {
          const { accessKeyId, sessionToken } = await client.config.credentials().catch((error: unknown) => {
            throw failure(error, config, "looking for credentials");
          });
          const error = await firstLook(signal);
          if (OF_CREDENTIALS.includes(nameOf(error))) throw failure(error, config, "signing in");
          return `${masked(accessKeyId)}${sessionToken === undefined ? "" : ", with a session token"}`;
        },
      },
      {
        name: "bucket",
        needs: "credentials",
        async run(signal) {
          const error = await firstLook(signal);
          if (OF_BUCKET.includes(nameOf(error))) throw failure(error, config, "looking for it");
          return seeBucket(client, config, signal);
        },
      },
      {
        name: "list",
        needs: "bucket",
        async run(signal) {
          const error = await firstLook(signal);
          if (error !== null) throw failure(error, config, "listing");
          return `${config.bucket}/${config.prefix}`;
        },
      },
      ...objects.steps,
    ],
    async cleanUp() {
      await objects.cleanUp().catch(() => {});
      client.destroy();
    },
  };
}

const masked = (id: string) => (id.length > 8 ? `access key ${id.slice(0, 4)}…${id.slice(-4)}` : "found");

async function seeBucket(client: S3Client, config: S3TierConfig, abortSignal: AbortSignal): Promise<string> {
  try {
    const { BucketRegion } = await client.send(new HeadBucketCommand({ Bucket: config.bucket }), { abortSignal });
    return `${config.bucket}${BucketRegion === undefined ? "" : ` in ${BucketRegion}`}`;
  } catch (error) {
    // Whoever may not ask for the bucket may still be allowed its objects.
    if (statusOf(error) === 403) return `${config.bucket}; we may not ask for more`;
    throw failure(
      statusOf(error) === 404 ? Object.assign(new Error(), { name: "NoSuchBucket" }) : error,
      config,
      "looking for it",
    );
  }
}
