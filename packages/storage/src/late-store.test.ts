import { expect, test } from "@jest/globals";
import { sha256Hex, toKey } from "@trivault/core";
import { lateStore } from "./late-store.ts";
import { memoryStore } from "./memory.ts";
import { bytesSource } from "./source.ts";

const KEY = toKey("shop/20261201t000000z-aaaaaaaa/data-000001.zst");
const BYTES = Buffer.from("bytes");

test("loads at the first call, once, and does what the store does", async () => {
  let loads = 0;
  const store = lateStore("memory", async () => {
    loads += 1;
    return memoryStore();
  });
  expect(store.description).toBe("memory");
  expect(loads).toBe(0);
  expect(
    await Promise.all([
      store.put(KEY, bytesSource(BYTES)),
      store.stat(toKey("shop/20261201t000000z-bbbbbbbb/data-000001.zst")),
    ]),
  ).toEqual(["stored", null]);
  expect(Buffer.concat(await Array.fromAsync(store.get(KEY)))).toEqual(BYTES);
  expect(Buffer.concat(await Array.fromAsync(store.get(KEY, { range: { start: 1, end: 2 } })))).toEqual(
    Buffer.from("yt"),
  );
  expect(await store.holds(KEY, { size: BYTES.length, sha256: sha256Hex(BYTES) })).toBe(true);
  await store.replace(KEY, bytesSource(Buffer.from("other")));
  expect((await Array.fromAsync(store.list(""))).map(({ key, size }) => [key, size])).toEqual([[KEY, 5]]);
  expect(await store.sweep("", 0)).toBe(0);
  await store.delete(KEY);
  expect(await store.stat(KEY)).toBeNull();
  await store.close();
  expect(loads).toBe(1);
});

test("closing one that was never called loads nothing", async () => {
  await lateStore("memory", async () => {
    throw new Error("it was loaded");
  }).close();
});

test("where loading fails, each call says so, and a later one tries again", async () => {
  let broken = true;
  const store = lateStore("memory", async () => {
    if (broken) throw new Error("no such module");
    return memoryStore();
  });
  await expect(store.stat(KEY)).rejects.toThrow("no such module");
  await expect(Array.fromAsync(store.list(""))).rejects.toThrow("no such module");
  broken = false;
  expect(await store.stat(KEY)).toBeNull();
  await store.close();
});
