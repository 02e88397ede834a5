import { createHash, randomBytes } from "node:crypto";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { backupKey, newBackupId, type S3TierConfig } from "@trivault/core";
import { type Ceph, sharedCeph, startTcpProxy } from "@trivault/testkit";
import { chunked, describeStore } from "@trivault/testkit/store-suite";
import { s3Store } from "./s3.ts";
import type { S3Options } from "./s3-connection.ts";
import { bytesSource } from "./source.ts";

let ceph: Ceph;
beforeAll(async () => {
  ceph = await sharedCeph();
}, 120_000);
afterAll(() => ceph?.stop(), 60_000);

const newBucket = () => `trivault-${randomBytes(6).toString("hex")}`;
const newKey = () => backupKey("shop", newBackupId(), "data-000001.zst.age");

function tier(bucket: string, changes: Partial<S3TierConfig> = {}): S3TierConfig {
  return {
    name: "cloud",
    kind: "s3",
    bucket,
    prefix: "",
    region: "us-east-1",
    endpoint: ceph.endpoint,
    pathStyle: true,
    verify: "server",
    conditionalPut: true,
    budget: null,
    origin: "environment",
    prices: {},
    credentials: null,
    storageClass: null,
    lifecycle: [],
    ...changes,
  };
}

function credentials(): { accessKeyId: string; secretAccessKey: string } {
  return { accessKeyId: ceph.accessKey, secretAccessKey: ceph.secretKey };
}

/** The SDK itself, to look behind the store's back. */
function plainClient(): S3Client {
  return new S3Client({
    region: "us-east-1",
    endpoint: ceph.endpoint,
    forcePathStyle: true,
    credentials: credentials(),
    requestChecksumCalculation: "WHEN_REQUIRED",
  });
}

for (const [name, changes, traits] of [
  ["S3 store, checked by the server", { prefix: "production/postgres" }, {}],
  // It lists as the other does.
  [
    "S3 store on a server without checks or conditions",
    { verify: "readback", conditionalPut: false },
    { exclusivePut: false, listed: 20 },
  ],
] as const) {
  describeStore(
    name,
    async () => {
      const bucket = newBucket();
      await ceph.createBucket(bucket);
      const config = tier(bucket, changes);
      const plain = plainClient();
      const folder = config.prefix === "" ? "" : `${config.prefix}/`;
      const address = new URL(ceph.endpoint);
      return {
        open: () => s3Store(config, { credentials: credentials() }),
        async place(path, bytes) {
          await plain.send(new PutObjectCommand({ Bucket: bucket, Key: folder + path, Body: bytes }));
        },
        network: {
          host: address.hostname,
          port: Number(address.port),
          openAt: (port) =>
            s3Store({ ...config, endpoint: `http://127.0.0.1:${port}` }, { credentials: credentials() }),
        },
        stop: async () => plain.destroy(),
      };
    },
    { network: true, ...traits },
  );
}

describe("S3 store", () => {
  let bucket: string;
  beforeAll(async () => {
    bucket = newBucket();
    await ceph.createBucket(bucket);
  }, 60_000);

  async function failure(config: S3TierConfig, options: S3Options = { credentials: credentials() }) {
    const store = s3Store(config, options);
    const errors: unknown[] = [];
    const key = newKey();
    await store.put(key, bytesSource(randomBytes(10))).catch((error: unknown) => errors.push(error));
    await store.stat(key).catch((error: unknown) => errors.push(error));
    await Array.fromAsync(store.get(key)).catch((error: unknown) => errors.push(error));
    await Array.fromAsync(store.list("")).catch((error: unknown) => errors.push(error));
    await store.close();
    expect(errors).toHaveLength(4);
    return errors;
  }

  test("a missing bucket is named by every verb", async () => {
    for (const error of await failure(tier(newBucket()))) {
      expect(error).toMatchObject({ code: "STORE_REFUSED", permanent: true });
      expect(String(error)).toMatch(/there is no such bucket.*BACKUP_S3_BUCKET/);
    }
  });

  test("a wrong secret is refused, and stays secret", async () => {
    const wrong = { ...credentials(), secretAccessKey: "not-the-secret" };
    for (const error of await failure(tier(bucket), { credentials: wrong })) {
      expect(error).toMatchObject({ code: "STORE_REFUSED", permanent: true });
      expect(String(error)).not.toContain("not-the-secret");
    }
    const [first] = await failure(tier(bucket), { credentials: wrong });
    expect(String(first)).toMatch(/secret key is wrong/);
  });

  test("an unknown access key is refused", async () => {
    const [first] = await failure(tier(bucket), { credentials: { ...credentials(), accessKeyId: "NOBODY" } });
    expect(first).toMatchObject({ code: "STORE_REFUSED", permanent: true });
    expect(String(first)).toMatch(/does not know the access key/);
  });

  test("no credentials at all: says where they are looked for", async () => {
    const none = {
      credentials: () => Promise.reject(Object.assign(new Error("none"), { name: "CredentialsProviderError" })),
    };
    const [first] = await failure(tier(bucket), none);
    expect(first).toMatchObject({ code: "STORE_REFUSED", permanent: true });
    expect(String(first)).toMatch(/AWS_ACCESS_KEY_ID/);
  });

  test("an endpoint whose name is unknown is unreachable, worth a retry", async () => {
    const store = s3Store(tier(bucket, { endpoint: "http://no-such-host.invalid" }), { credentials: credentials() });
    await expect(store.stat(newKey())).rejects.toMatchObject({
      code: "STORE_UNREACHABLE",
      permanent: false,
      message: expect.stringContaining("BACKUP_S3_ENDPOINT"),
    });
    await store.close();
  }, 30_000);

  test("the server itself refuses bytes other than those that were signed", async () => {
    const store = s3Store(tier(bucket), { credentials: credentials() });
    const key = newKey();
    const lie = { ...bytesSource(randomBytes(1_000)), open: () => bytesSource(randomBytes(1_000)).open() };
    await expect(store.put(key, lie)).rejects.toMatchObject({
      code: "CORRUPT",
      message: expect.stringContaining("the server found another SHA-256"),
    });
    await store.close();
  });

  test("objects carry their SHA-256, and the key lies under the prefix", async () => {
    const store = s3Store(tier(bucket, { prefix: "a/b" }), { credentials: credentials() });
    const [key, bytes] = [newKey(), randomBytes(1_000)];
    await store.put(key, bytesSource(bytes));
    const plain = plainClient();
    const found = await plain.send(new HeadObjectCommand({ Bucket: bucket, Key: `a/b/${key}` }));
    expect(found.Metadata).toEqual({ sha256: createHash("sha256").update(bytes).digest("hex") });
    await store.delete(key);
    await expect(plain.send(new GetObjectCommand({ Bucket: bucket, Key: `a/b/${key}` }))).rejects.toThrow();
    plain.destroy();
    await store.close();
  });

  test("an object that another program put is compared by its bytes", async () => {
    const store = s3Store(tier(bucket), { credentials: credentials() });
    const [key, bytes] = [newKey(), randomBytes(1_000)];
    const plain = plainClient();
    await plain.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: bytes }));
    expect(await store.put(key, bytesSource(bytes))).toBe("exists");
    await expect(store.put(key, bytesSource(randomBytes(1_000)))).rejects.toMatchObject({ code: "EXISTS" });
    await plain.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
    plain.destroy();
    await store.close();
  });

  test.each(["put", "get", "stat"])(
    "a %s over a link that went dead ends in bounded time",
    async (verb) => {
      const address = new URL(ceph.endpoint);
      const proxy = await startTcpProxy({ host: address.hostname, port: Number(address.port) });
      const endpoint = `http://127.0.0.1:${proxy.port}`;
      const key = newKey();
      const patient = s3Store(tier(bucket), { credentials: credentials() });
      await patient.put(key, chunked(randomBytes(8 * 1024 * 1024), 64 * 1024));
      await patient.close();
      const store = s3Store(tier(bucket, { endpoint }), { credentials: credentials(), idleTimeoutMs: 1_000 });
      const started = performance.now();
      const work = async () => {
        if (verb === "put") {
          const other = newKey();
          setTimeout(() => proxy.blackhole(), 5);
          for (;;)
            await store.put(other, chunked(randomBytes(4 * 1024 * 1024), 64 * 1024)).then(() => store.delete(other));
        }
        if (verb === "get") for await (const _ of store.get(key)) proxy.blackhole();
        proxy.blackhole();
        await store.stat(key);
      };
      await expect(work()).rejects.toMatchObject({ code: "STORE_UNREACHABLE", permanent: false });
      expect(performance.now() - started).toBeLessThan(5_000);
      await store.close();
      await proxy.stop();
    },
    20_000,
  );
});
