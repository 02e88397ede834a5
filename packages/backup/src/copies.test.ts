import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "@jest/globals";
import { backupKey, MANIFEST, manifestBytesOf } from "@trivault/core";
import { bytesSource, memoryStore, type Tier } from "@trivault/storage";
import { readManifest } from "./copies.ts";

const READER = new URL("../test/read-hostile.ts", import.meta.url).pathname;

test("9.B11 a manifest of 18 million objects is refused in a heap that it would burst many times over", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ["--max-old-space-size=64", READER]);
  expect(stdout.trim().split("\n")).toEqual(['"CORRUPT"', '"UNTRUSTED"', '"CORRUPT"', '"CORRUPT"']);
});

test("9.B11 no more is read than the manifest of so many objects can need", async () => {
  let read = 0;
  const store = memoryStore();
  const endless: Tier = {
    name: "remote",
    kind: "sftp",
    store: {
      ...store,
      async *get() {
        for (;;) {
          read += 1024 * 1024;
          yield Buffer.alloc(1024 * 1024);
        }
      },
    },
  };
  const ref = { database: "shop", backupId: "20260101t000000z-00000000" };
  await store.put(backupKey(ref.database, ref.backupId, MANIFEST), bytesSource(Buffer.from("{}")));
  await expect(readManifest(endless, ref, { objects: 3 })).rejects.toMatchObject({ code: "CORRUPT" });
  expect(read).toBeLessThan(manifestBytesOf(3) + 2 * 1024 * 1024);
});
