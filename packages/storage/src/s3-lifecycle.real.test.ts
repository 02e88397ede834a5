import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import {
  GetBucketLifecycleConfigurationCommand,
  type LifecycleRule,
  PutBucketLifecycleConfigurationCommand,
  PutBucketPolicyCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { backupKey, newBackupId, type S3TierConfig } from "@trivault/core";
import { type Ceph, sharedCeph } from "@trivault/testkit";
import { applyLifecycle } from "./s3-lifecycle.ts";
import { s3Store } from "./s3.ts";
import { bytesSource } from "./source.ts";

let ceph: Ceph;
let plain: S3Client;
let tier: S3TierConfig;

beforeAll(async () => {
  ceph = await sharedCeph();
  plain = new S3Client({
    region: "us-east-1",
    endpoint: ceph.endpoint,
    forcePathStyle: true,
    ...credentials(),
  });
}, 120_000);
afterAll(async () => {
  plain?.destroy();
  await ceph?.stop();
}, 60_000);

beforeEach(async () => {
  const bucket = `trivault-${randomBytes(6).toString("hex")}`;
  await ceph.createBucket(bucket);
  tier = {
    name: "cloud",
    kind: "s3",
    bucket,
    prefix: "production/postgres",
    region: "us-east-1",
    endpoint: ceph.endpoint,
    pathStyle: true,
    verify: "server",
    conditionalPut: true,
    budget: null,
    origin: "environment",
    prices: {},
    ...credentials(),
    storageClass: null,
    lifecycle: [{ afterDays: 30, storageClass: "STANDARD" }],
  };
});

function credentials() {
  return { credentials: { accessKeyId: ceph.accessKey, secretAccessKey: ceph.secretKey } };
}

async function rules(): Promise<LifecycleRule[]> {
  const found = await plain
    .send(new GetBucketLifecycleConfigurationCommand({ Bucket: tier.bucket }))
    .catch((error: unknown) => {
      if (error instanceof Error && error.name === "NoSuchLifecycleConfiguration") return {};
      throw error;
    });
  return ("Rules" in found ? found.Rules : undefined)?.toSorted((a, b) => ((a.ID ?? "") < (b.ID ?? "") ? -1 : 1)) ?? [];
}

async function setRules(Rules: LifecycleRule[]): Promise<void> {
  const LifecycleConfiguration = { Rules };
  await plain.send(new PutBucketLifecycleConfigurationCommand({ Bucket: tier.bucket, LifecycleConfiguration }));
}

const OURS = "trivault:production/postgres:transitions";
const FOREIGN: LifecycleRule[] = [
  { ID: "a-logs", Status: "Enabled", Filter: { Prefix: "logs/" }, Expiration: { Days: 14 } },
  {
    ID: "b-tagged",
    Status: "Disabled",
    Filter: { And: { Prefix: "tmp/", Tags: [{ Key: "team", Value: "x" }] } },
    Expiration: { Days: 3 },
    NoncurrentVersionExpiration: { NoncurrentDays: 7 },
  },
  {
    ID: "c-uploads",
    Status: "Enabled",
    Filter: { Prefix: "" },
    AbortIncompleteMultipartUpload: { DaysAfterInitiation: 2 },
  },
  // Rules of another tier in the same bucket.
  {
    ID: "trivault:production/postgres:2:transitions",
    Status: "Enabled",
    Filter: { Prefix: "production/postgres:2/" },
    Transitions: [{ Days: 9, StorageClass: "STANDARD" as never }],
  },
];

describe("the lifecycle rules of a bucket", () => {
  test("ours is set, once, and follows the configuration", async () => {
    expect(await applyLifecycle(tier)).toEqual({ outcome: "applied", message: null });
    expect(await rules()).toMatchObject([
      { ID: OURS, Status: "Enabled", Filter: { Prefix: "production/postgres/" }, Transitions: [{ Days: 30 }] },
    ]);
    expect(await applyLifecycle(tier)).toMatchObject({ outcome: "unchanged" });
    tier = { ...tier, lifecycle: [{ afterDays: 45, storageClass: "STANDARD" }] };
    expect(await applyLifecycle(tier)).toMatchObject({ outcome: "applied" });
    expect(await rules()).toMatchObject([{ ID: OURS, Transitions: [{ Days: 45 }] }]);
    tier = { ...tier, lifecycle: [] };
    expect(await applyLifecycle(tier)).toMatchObject({ outcome: "applied" });
    expect(await rules()).toEqual([]);
    expect(await applyLifecycle(tier)).toMatchObject({ outcome: "unchanged" });
  });

  test("no rule of anybody else is lost or changed", async () => {
    await setRules(FOREIGN);
    const before = await rules();
    expect(before).toHaveLength(FOREIGN.length);
    expect(await applyLifecycle(tier)).toMatchObject({ outcome: "applied" });
    const after = await rules();
    expect(after.filter(({ ID }) => ID !== OURS)).toEqual(before);
    expect(after).toHaveLength(before.length + 1);
    expect(await applyLifecycle({ ...tier, lifecycle: [] })).toMatchObject({ outcome: "applied" });
    expect(await rules()).toEqual(before);
  });

  test("what somebody added to our rule is taken out again: it might delete backups", async () => {
    await applyLifecycle(tier);
    const [ours] = await rules();
    if (ours === undefined) throw new Error("there is no rule");
    await setRules([{ ...ours, Expiration: { Days: 90 } }]);
    expect(await applyLifecycle(tier)).toMatchObject({ outcome: "applied" });
    expect((await rules())[0]?.Expiration).toBeUndefined();
  });

  test("where they may not be set, the missing permission is named, and nothing else fails", async () => {
    const Policy = JSON.stringify({
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Deny",
          Principal: "*",
          Action: ["s3:PutLifecycleConfiguration", "s3:GetLifecycleConfiguration"],
          Resource: `arn:aws:s3:::${tier.bucket}`,
        },
      ],
    });
    await plain.send(new PutBucketPolicyCommand({ Bucket: tier.bucket, Policy }));
    const { outcome, message } = await applyLifecycle(tier);
    expect(outcome).toBe("refused");
    expect(message).toMatch(/Allow s3:GetLifecycleConfiguration and s3:PutLifecycleConfiguration/);
    expect(await applyLifecycle({ ...tier, lifecycle: [] })).toMatchObject({ outcome: "unchanged" });
  });

  test("rules that the server does not take are reported, and those of others stay", async () => {
    await setRules(FOREIGN);
    const before = await rules();
    const wrong = await applyLifecycle({ ...tier, lifecycle: [{ afterDays: -1, storageClass: "STANDARD" }] });
    expect(wrong.outcome).toBe("refused");
    expect(wrong.message).toMatch(/does not take the rules/);
    expect(await rules()).toEqual(before);
  });

  test("a server that is not there is an error that may pass", async () => {
    const gone = { ...tier, endpoint: "http://127.0.0.1:9" };
    await expect(applyLifecycle(gone)).rejects.toMatchObject({ code: "STORE_UNREACHABLE", permanent: false });
  });
});

describe("storage classes", () => {
  const newKey = () => backupKey("shop", newBackupId(), "data-000001.zst.age");

  test("objects are put with the tier's class, and listings show it", async () => {
    const store = s3Store({ ...tier, storageClass: "GLACIER_IR" }, credentials());
    const key = newKey();
    await store.put(key, bytesSource(randomBytes(100)));
    expect(await store.stat(key)).toMatchObject({ storageClass: "GLACIER_IR" });
    expect(await Array.fromAsync(store.list(""))).toMatchObject([{ key, storageClass: "GLACIER_IR" }]);
    await store.close();
  });

  test("one that the server does not have is refused", async () => {
    const store = s3Store({ ...tier, storageClass: "ONEZONE_IA" }, credentials());
    await expect(store.put(newKey(), bytesSource(randomBytes(10)))).rejects.toMatchObject({ code: "STORE_REFUSED" });
    await store.close();
  });

  test("what grew old lies in the later class, is the same object, and can be read at once", async () => {
    const store = s3Store(tier, credentials());
    const [key, bytes] = [newKey(), randomBytes(300_000)];
    await store.put(key, bytesSource(bytes));
    const before = await store.stat(key);
    expect(before?.storageClass).toBe("STANDARD");
    const soon = { ...tier, lifecycle: [{ afterDays: 1, storageClass: "GLACIER_IR" as const }] };
    expect(await applyLifecycle(soon)).toMatchObject({ outcome: "applied" });
    // Ceph's days are short here: scripts/ceph-s3.
    while ((await store.stat(key))?.storageClass === "STANDARD") await sleep(500);
    expect(await store.stat(key)).toEqual({ ...before, storageClass: "GLACIER_IR" });
    expect(Buffer.concat(await Array.fromAsync(store.get(key)))).toEqual(bytes);
    expect(await store.put(key, bytesSource(bytes))).toBe("exists");
    await store.delete(key);
    expect(await store.stat(key)).toBeNull();
    await store.close();
  }, 90_000);
});
