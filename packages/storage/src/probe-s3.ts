import type { Readable } from "node:stream";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { formatBytes, messageOf, RECOVERY_KEY, type S3TierConfig, sha256Hex } from "@trivault/core";
import { addressOf, readClock, reachServer } from "./probe-s3-server.ts";
import { resolveHost } from "./probe-network.ts";
import { expectSame, type Probe, probeBytes, ProbeFailure, probeName, type Step } from "./probe-steps.ts";
import { s3Connection } from "./s3-connection.ts";
import { nameOf, s3Error, statusOf } from "./s3-errors.ts";
import { readAll } from "./source.ts";

const HOUR_MS = 3_600_000;
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
  /** What the first request ended with tells of the credentials, the bucket and the right to list. */
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
        run: async () =>
          resolveHost((await address()).hostname, config.endpoint ? "BACKUP_S3_ENDPOINT" : "BACKUP_CLOUD_REGION"),
      },
      { name: "connect", needs: "resolve", run: async (signal) => reachServer(await address(), signal) },
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

/** In the words of the store's errors, without what a step of this tier need not repeat. */
function failure(error: unknown, config: S3TierConfig, doing: string): ProbeFailure {
  if (error instanceof ProbeFailure) return error;
  const said = s3Error(error, config, doing).message.replace(/^.*? failed: /, "");
  const [, seen = said, advice = ""] = /^(.+?[.)]) (?=[A-Z])(.+)$/s.exec(said) ?? [];
  return new ProbeFailure(seen.replace(/\.$/, ""), advice, error);
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

/** What happens to objects. They lie beside the backups under temporary names, which no listing of ours shows. */
function objectProbe(
  client: S3Client,
  config: S3TierConfig,
): { list(signal: AbortSignal): Promise<void>; steps: Step[]; cleanUp(): Promise<void> } {
  const folder = config.prefix === "" ? "" : `${config.prefix}/`;
  const place = (name: string) => ({ Bucket: config.bucket, Key: folder + name });
  const name = probeName();
  const wrong = probeName();
  const bytes = probeBytes();
  const written = new Set<string>();
  /** Of tests that were killed: no sweep of the store looks for them, as its own PUTs leave nothing. */
  let leftovers: string[] = [];

  async function list(abortSignal: AbortSignal): Promise<void> {
    const Prefix = `${folder}.${RECOVERY_KEY}.`;
    const page = await client.send(new ListObjectsV2Command({ Bucket: config.bucket, Prefix }), { abortSignal });
    leftovers = (page.Contents ?? [])
      .filter(({ LastModified }) => LastModified && Date.now() - LastModified.getTime() > HOUR_MS)
      .map(({ Key = "" }) => Key.slice(folder.length));
  }

  async function put(target: string, body: Buffer, sha256: string, abortSignal: AbortSignal): Promise<void> {
    written.add(target); // before: the answer may get lost
    const command = new PutObjectCommand({
      ...place(target),
      Body: body,
      ContentLength: body.length,
      ...(config.conditionalPut ? { IfNoneMatch: "*" } : {}),
      ...(config.storageClass === null ? {} : { StorageClass: config.storageClass }),
    });
    command.middlewareStack.add(
      (next) => (args) => {
        const { request } = args as { request: { headers: Record<string, string> } };
        request.headers["x-amz-content-sha256"] = sha256;
        return next(args);
      },
      { step: "build", name: "probeSha256" }, // as the store does: signed, so that the server checks it
    );
    await client.send(command, { abortSignal });
  }

  async function remove(target: string, abortSignal: AbortSignal): Promise<void> {
    await client.send(new DeleteObjectCommand(place(target)), { abortSignal });
    written.delete(target);
  }

  async function write(signal: AbortSignal): Promise<string> {
    try {
      await put(name, bytes, sha256Hex(bytes), signal);
    } catch (error) {
      if (statusOf(error) === 501 && config.conditionalPut) {
        throw new ProbeFailure("the server knows no If-None-Match", "Set BACKUP_S3_CONDITIONAL_PUT=false.", error);
      }
      if (statusOf(error) === 400 && config.storageClass !== null) {
        const seen = `the server refuses objects of the storage class ${config.storageClass} (${nameOf(error)})`;
        throw new ProbeFailure(seen, "Correct this tier's storage class: the server has none of that name.", error);
      }
      throw failure(error, config, "writing");
    }
    const storageClass = config.storageClass === null ? "" : ` as ${config.storageClass}`;
    return `${formatBytes(bytes.length)}${storageClass}, signed over its SHA-256`;
  }

  async function refuseWrong(signal: AbortSignal): Promise<string> {
    try {
      await put(wrong, bytes, sha256Hex(Buffer.from("other bytes")), signal);
    } catch (error) {
      const status = statusOf(error);
      if (status !== undefined && status >= 400 && status < 500) return `refused, as it must be (${nameOf(error)})`;
      throw failure(error, config, "writing other bytes than were signed");
    }
    if (config.verify === "readback") return "the server takes them, but BACKUP_S3_VERIFY=readback reads all back";
    throw new ProbeFailure(
      "the server took other bytes than those that were signed: it does not check them",
      "Set BACKUP_S3_VERIFY=readback: every object is then read back and compared.",
    );
  }

  async function refuseSecond(signal: AbortSignal): Promise<string> {
    if (!config.conditionalPut)
      return "not asked of the server (BACKUP_S3_CONDITIONAL_PUT=false): each PUT looks first";
    const other = Buffer.from("a second object");
    try {
      await put(name, other, sha256Hex(other), signal);
    } catch (error) {
      if (statusOf(error) === 412) return "a second PUT was refused (If-None-Match)";
      throw failure(error, config, "writing twice");
    }
    await remove(name, signal);
    await put(name, bytes, sha256Hex(bytes), signal);
    throw new ProbeFailure(
      "the server replaced an object in spite of If-None-Match: *",
      "Set BACKUP_S3_CONDITIONAL_PUT=false: each PUT then looks first.",
    );
  }

  async function readBack(abortSignal: AbortSignal): Promise<string> {
    try {
      const { Body } = await client.send(new GetObjectCommand(place(name)), { abortSignal });
      expectSame(await readAll(Body as Readable, 2 * bytes.length), bytes);
      return "the same bytes";
    } catch (error) {
      if (error instanceof ProbeFailure) throw error;
      throw failure(error, config, "reading");
    }
  }

  async function deleteAll(signal: AbortSignal): Promise<string> {
    try {
      for (const target of [name, ...leftovers]) await remove(target, signal);
      const gone = await client.send(new HeadObjectCommand(place(name)), { abortSignal: signal }).then(
        () => false,
        (error: unknown) => statusOf(error) === 404,
      );
      if (!gone)
        throw new ProbeFailure(
          "it is still there",
          "Look at Object Lock and the bucket's policy: retention cannot work.",
        );
      return leftovers.length === 0 ? "gone" : `gone, with ${leftovers.length} that earlier tests left`;
    } catch (error) {
      if (error instanceof ProbeFailure) throw error;
      throw failure(error, config, `deleting (${messageOf(error)})`);
    }
  }

  return {
    list,
    steps: [
      { name: "write", needs: "list", run: write },
      { name: "wrong bytes", needs: "write", run: refuseWrong },
      { name: "overwrite", needs: "write", run: refuseSecond },
      { name: "read back", needs: "write", run: readBack },
      { name: "delete", needs: "write", run: deleteAll },
    ],
    async cleanUp() {
      const limit = AbortSignal.timeout(4_000);
      for (const target of written) await remove(target, limit);
    },
  };
}
