import type { Readable } from "node:stream";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { formatBytes, HOUR_MS, RECOVERY_KEY, type S3TierConfig, settingOf, sha256Hex } from "@trivault/core";
import { expectSame, probeBytes, ProbeFailure, probeName, type Step } from "./probe-steps.ts";
import { nameOf, s3Error, statusOf } from "./s3-errors.ts";
import { signOver } from "./s3-signed-hash.ts";
import { readAll } from "./source.ts";

/** What happens to objects. They lie beside the backups under temporary names, which no listing of ours shows. */
export function objectProbe(
  client: S3Client,
  config: S3TierConfig,
): { list(signal: AbortSignal): Promise<void>; steps: Step[]; cleanUp(): Promise<void> } {
  const folder = config.prefix === "" ? "" : `${config.prefix}/`;
  const place = (name: string) => ({ Bucket: config.bucket, Key: folder + name });
  const name = probeName();
  const wrong = probeName();
  const bytes = probeBytes();
  const written = new Set<string>();
  /** Left by tests that were killed: no sweep of the store looks for them, as its own PUTs leave nothing. */
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
    signOver(command, sha256);
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
        throw new ProbeFailure(
          "the server knows no If-None-Match",
          `Set ${settingOf(config, "conditionalPut", false)}.`,
          error,
        );
      }
      if (statusOf(error) === 400 && config.storageClass !== null) {
        const seen = `the server refuses objects of the storage class ${config.storageClass} (${nameOf(error)})`;
        throw new ProbeFailure(
          seen,
          `Correct ${settingOf(config, "storageClass")}: the server has none of that name.`,
          error,
        );
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
    if (config.verify === "readback")
      return `the server takes them, but ${settingOf(config, "verify", "readback")} reads all back`;
    throw new ProbeFailure(
      "the server took other bytes than those that were signed: it does not check them",
      `Set ${settingOf(config, "verify", "readback")}: every object is then read back and compared.`,
    );
  }

  async function refuseSecond(signal: AbortSignal): Promise<string> {
    if (!config.conditionalPut)
      return `not asked of the server (${settingOf(config, "conditionalPut", false)}): each PUT looks first`;
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
      `Set ${settingOf(config, "conditionalPut", false)}: each PUT then looks first.`,
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
      throw failure(error, config, "deleting");
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

/** In the words of the store's errors, without what a step of this tier need not repeat. */
export function failure(error: unknown, config: S3TierConfig, doing: string): ProbeFailure {
  if (error instanceof ProbeFailure) return error;
  const said = s3Error(error, config, doing).message.replace(/^.*? failed: /, "");
  const [, seen = said, advice = ""] = /^(.+?[.)]) (?=[A-Z])(.+)$/s.exec(said) ?? [];
  return new ProbeFailure(seen.replace(/\.$/, ""), advice, error);
}
