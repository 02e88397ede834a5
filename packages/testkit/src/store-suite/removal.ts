import { randomBytes } from "node:crypto";
import { expect, test } from "@jest/globals";
import { type Key } from "@trivault/core";
import { bytesSource } from "@trivault/storage";
import { newDatabase, newKey } from "./bytes.ts";
import type { StorePlace } from "./place.ts";

/** Delete and sweep. */
export function describeRemoval(place: StorePlace): void {
  test("delete is idempotent", async () => {
    const key = newKey();
    const sibling = key.replace("000001", "000002") as Key;
    await place.store.put(key, bytesSource(randomBytes(10)));
    await place.store.put(sibling, bytesSource(randomBytes(10)));
    await place.store.delete(key);
    await place.store.delete(key);
    await place.store.delete(newKey());
    expect(await place.store.stat(key)).toBeNull();
    expect(await place.store.stat(sibling)).not.toBeNull();
    await place.store.delete(sibling);
    await place.expectAbsent(key);
    expect(await place.store.put(key, bytesSource(randomBytes(10)))).toBe("stored");
  });

  if (place.traits.temporaryFiles) {
    test("sweep removes what dead writers left, and nothing else", async () => {
      const database = newDatabase();
      const key = newKey(database);
      await place.store.put(key, bytesSource(randomBytes(3)));
      const folder = key.slice(0, key.lastIndexOf("/"));
      const left = `${folder}/.data-000002.zst.age.0123456789abcdef.tmp`;
      const foreign = `${folder}/.data-000002.zst.age.tmp`;
      await place.harness.place(left, randomBytes(3));
      await place.harness.place(foreign, randomBytes(3));
      expect(await place.store.sweep(`${database}/`, 3_600_000)).toBe(0);
      expect(await place.store.sweep(`${database}/`, -2_000)).toBe(1);
      expect(await place.store.sweep(`${database}/`, -2_000)).toBe(0);
      expect(await place.store.stat(key)).not.toBeNull();
    });
  } else {
    test("sweep finds nothing to remove", async () => {
      expect(await place.store.sweep("", 0)).toBe(0);
    });
  }
}
