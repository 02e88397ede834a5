import { backupKey, MANIFEST } from "@trivault/core";
import { bytesSource, memoryStore, type Tier } from "@trivault/storage";
import { readManifest } from "../src/copies.ts";

/** Reads a manifest that a stranger put on a tier, of 36 MB and 18 million objects, and says how that ended. */
const ref = { database: "shop", backupId: "20260101t000000z-00000000" };
const tier: Tier = { name: "remote", kind: "sftp", store: memoryStore() };
const hostile = Buffer.concat([
  Buffer.from('{"manifest":{"x":['),
  Buffer.alloc(36_000_000 - 2, "{},"),
  Buffer.from("]}}"),
]);
await tier.store.put(backupKey(ref.database, ref.backupId, MANIFEST), bytesSource(hostile));
for (const options of [{}, { trustedKeys: [] }, { trustedKeys: [], anyOrigin: true }, { objects: 1 }]) {
  const end = await readManifest(tier, ref, options).catch((error: { code?: string }) => error.code);
  process.stdout.write(`${JSON.stringify(end)}\n`);
}
