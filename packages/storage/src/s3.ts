import type { Readable } from "node:stream";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  ListObjectsV2Command,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { type Key, parseKey, type S3TierConfig, toKey, TrivaultError } from "@trivault/core";
import { endOnAbort, throwIfAborted, untilAborted } from "./cancellation.ts";
import { s3Description } from "./descriptions.ts";
import { nameOf, s3Error, statusOf } from "./s3-errors.ts";
import { bodyOf } from "./s3-body.ts";
import { s3Connection, type S3Options } from "./s3-connection.ts";
import { signOver } from "./s3-signed-hash.ts";
import { hashAll, sizedChunks } from "./source.ts";
import type { CallOptions, GetOptions, Source, Store, StoredObject } from "./store.ts";
import { existsWithOtherBytes, notFound, wrongBytes } from "./store-errors.ts";
import { checkPrefix } from "./tree.ts";
import { startWatchdog } from "./watchdog.ts";

/**
 * A bucket, or a folder in it. One PUT per object, signed over the object's own SHA-256 (`x-amz-content-sha256`): the
 * server refuses other bytes, shows an object only when it is whole, and with `If-None-Match: *` never replaces one.
 */
export function s3Store(config: S3TierConfig, { credentials, ...timeouts }: S3Options = {}): Store {
  const settings = { connectTimeoutMs: 10_000, idleTimeoutMs: 60_000, ...timeouts, credentials };
  const description = s3Description(config);
  const folder = config.prefix === "" ? "" : `${config.prefix}/`;
  const place = (key: Key) => ({ Bucket: config.bucket, Key: folder + key });
  let bucketSeen = false;

  const { client, attempt, silent } = s3Connection(config, description, settings);

  async function put(
    key: Key,
    source: Source,
    { signal, onBytes, over = false }: CallOptions & { readonly over?: boolean },
  ): Promise<"stored" | "exists"> {
    let reported = 0;
    const outcome = await attempt(`writing ${key}`, signal, async ({ abortSignal, moved, isRetry }) => {
      // The answer to the first try may have been lost on its way.
      if (!over && (isRetry || !config.conditionalPut)) {
        const found = await head(key, abortSignal);
        if (found) return compare(key, source, found, { signal });
      }
      if (source.size === 0) await hashAll(sizedChunks(source, { store: description, key }, abortSignal));
      let sent = 0;
      const body = bodyOf(source, { store: description, key }, abortSignal, config.verify === "readback", (bytes) => {
        moved();
        sent += bytes;
        if (sent > reported) onBytes?.(sent - reported);
        reported = Math.max(reported, sent);
      });
      try {
        await Promise.race([
          client.send(putCommand(key, source, body.stream, over), { abortSignal: body.signal }),
          body.failed,
        ]);
        bucketSeen = true;
        return "stored";
      } catch (error) {
        // A source that failed is why the request ended, whatever the request says.
        const cause = body.failure() ?? error;
        if (nameOf(cause) === "XAmzContentSHA256Mismatch" || nameOf(cause) === "BadDigest") {
          throw wrongBytes(description, key, "the server found another SHA-256");
        }
        if (statusOf(cause) !== 412) throw cause;
        const found = await head(key, abortSignal);
        if (!found) throw cause; // It was deleted in between.
        return compare(key, source, found, { signal });
      } finally {
        body.stream.destroy();
      }
    });
    if (outcome === "stored" && config.verify === "readback" && !(await holds(key, source, { signal }))) {
      await remove(key, undefined);
      throw wrongBytes(description, key, "what the server stored differs");
    }
    return outcome;
  }

  function putCommand(key: Key, source: Source, body: Readable, over: boolean): PutObjectCommand {
    const command = new PutObjectCommand({
      ...place(key),
      Body: source.size === 0 ? "" : body,
      ContentLength: source.size,
      ContentType: "application/octet-stream",
      Metadata: { sha256: source.sha256 },
      ...(config.storageClass === null ? {} : { StorageClass: config.storageClass }),
      ...(config.conditionalPut && !over ? { IfNoneMatch: "*" } : {}),
    });
    signOver(command, source.sha256);
    return command;
  }

  async function head(key: Key, abortSignal: AbortSignal): Promise<HeadObjectCommandOutput | null> {
    try {
      const found = await client.send(new HeadObjectCommand(place(key)), { abortSignal });
      bucketSeen = true;
      return found;
    } catch (error) {
      if (statusOf(error) !== 404) throw error;
      await expectBucket(abortSignal);
      return null;
    }
  }

  /** A HEAD has no body, so a missing bucket looks like a missing object. */
  async function expectBucket(abortSignal: AbortSignal): Promise<void> {
    if (bucketSeen) return;
    try {
      await client.send(new HeadBucketCommand({ Bucket: config.bucket }), { abortSignal });
    } catch (error) {
      if (statusOf(error) === 404)
        throw s3Error(Object.assign(new Error(), { name: "NoSuchBucket" }), config, "reading");
      // Whoever may not ask for the bucket may still be allowed its objects.
      if (statusOf(error) !== 403) throw error;
    }
    bucketSeen = true;
  }

  async function compare(
    key: Key,
    source: Source,
    found: HeadObjectCommandOutput,
    options: CallOptions,
  ): Promise<"exists"> {
    const hash = found.Metadata?.["sha256"];
    const known = hash !== undefined && config.verify === "server" && found.ContentLength === source.size;
    const same = known ? hash === source.sha256 : await holds(key, source, options);
    if (!same) throw existsWithOtherBytes(description, key);
    return "exists";
  }

  async function holds(key: Key, bytes: { size: number; sha256: string }, options: CallOptions): Promise<boolean> {
    const found = await attempt(`reading ${key}`, options.signal, ({ abortSignal }) => head(key, abortSignal));
    if (found?.ContentLength !== bytes.size) return false;
    try {
      return (await hashAll(read(key, options))).sha256 === bytes.sha256;
    } catch (error) {
      if (error instanceof TrivaultError && error.code === "NOT_FOUND") return false;
      throw error;
    }
  }

  async function* read(key: Key, { signal, range, onBytes }: GetOptions): AsyncGenerator<Uint8Array> {
    throwIfAborted(signal);
    const doing = `reading ${key}`;
    // Lives as long as the body does, unlike the signal of one attempt.
    const controller = new AbortController();
    const abort = () => controller.abort(signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });
    try {
      const answer = await attempt(doing, signal, async ({ abortSignal }) => {
        const abortSilent = () => controller.abort(abortSignal.reason);
        abortSignal.addEventListener("abort", abortSilent, { once: true });
        try {
          const Range = range && `bytes=${range.start}-${range.end}`;
          const command = new GetObjectCommand({ ...place(key), ...(Range ? { Range } : {}) });
          return await client.send(command, { abortSignal: controller.signal });
        } catch (error) {
          if (statusOf(error) === 416) return null; // The range begins at the object's end, or behind it.
          if (nameOf(error) === "NoSuchKey") throw notFound(description, key);
          throw error;
        } finally {
          abortSignal.removeEventListener("abort", abortSilent);
        }
      });
      if (answer) yield* readBody(answer.Body as Readable, answer.ContentLength, doing, onBytes);
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  async function* readBody(
    body: Readable,
    size: number | undefined,
    doing: string,
    onBytes: CallOptions["onBytes"],
  ): AsyncGenerator<Uint8Array> {
    let silence: TrivaultError | undefined;
    let watchdog = startWatchdog(settings.idleTimeoutMs, onSilence);
    function onSilence(): void {
      silence = silent(doing);
      body.destroy(silence);
    }
    let moved = 0;
    try {
      for await (const chunk of body as AsyncIterable<Buffer>) {
        watchdog.stop(); // The time that the reader takes is not the server's.
        moved += chunk.length;
        onBytes?.(chunk.length);
        yield chunk;
        watchdog = startWatchdog(settings.idleTimeoutMs, onSilence);
      }
      if (size !== undefined && moved < size) throw new Error(`only ${moved} of ${size} bytes came`);
    } catch (error) {
      throw s3Error(silence ?? error, config, doing);
    } finally {
      watchdog.stop();
      body.destroy();
    }
  }

  async function* list(prefix: string, signal: AbortSignal | undefined): AsyncGenerator<StoredObject> {
    let token: string | undefined;
    do {
      const page = await attempt("listing", signal, ({ abortSignal }) =>
        client.send(
          new ListObjectsV2Command({
            Bucket: config.bucket,
            Prefix: folder + prefix,
            ...(token === undefined ? {} : { ContinuationToken: token }),
          }),
          { abortSignal },
        ),
      );
      for (const { Key: name = "", Size = 0, LastModified = new Date(0), StorageClass, ETag } of page.Contents ?? []) {
        const key = parseKey(name.slice(folder.length));
        const storageClass = StorageClass ?? "STANDARD";
        if (key) yield { key, size: Size, modifiedAt: LastModified, storageClass, etag: ETag };
      }
      token = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  async function remove(key: Key, signal: AbortSignal | undefined): Promise<void> {
    await attempt(`deleting ${key}`, signal, async ({ abortSignal }) => {
      await client.send(new DeleteObjectCommand(place(key)), { abortSignal }).catch((error: unknown) => {
        if (nameOf(error) !== "NoSuchKey") throw error;
      });
    });
  }

  return {
    description,
    async put(unchecked, source, options = {}) {
      const key = toKey(unchecked);
      return endOnAbort(options.signal, () => put(key, source, options));
    },
    async replace(unchecked, source, options = {}) {
      const key = toKey(unchecked);
      await endOnAbort(options.signal, () => put(key, source, { ...options, over: true }));
    },
    async *get(unchecked, options = {}) {
      yield* untilAborted(read(toKey(unchecked), options), options.signal);
    },
    async stat(unchecked, { signal } = {}) {
      const key = toKey(unchecked);
      const found = await attempt(`reading ${key}`, signal, ({ abortSignal }) => head(key, abortSignal));
      if (!found) return null;
      const { ContentLength = 0, LastModified = new Date(0), StorageClass = "STANDARD" } = found;
      return { key, size: ContentLength, modifiedAt: LastModified, storageClass: StorageClass };
    },
    async holds(unchecked, bytes, options = {}) {
      const key = toKey(unchecked);
      return endOnAbort(options.signal, () => holds(key, bytes, options));
    },
    async *list(prefix, { signal } = {}) {
      yield* untilAborted(list(checkPrefix(prefix), signal), signal);
    },
    async delete(unchecked, { signal } = {}) {
      await remove(toKey(unchecked), signal);
    },
    async sweep(prefix, _olderThanMs, { signal } = {}) {
      checkPrefix(prefix);
      throwIfAborted(signal);
      return 0; // A PUT that breaks off leaves nothing.
    },
    async capacity({ signal } = {}) {
      throwIfAborted(signal);
      return null;
    },
    async close() {
      client.destroy();
    },
  };
}
