import { randomBytes } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { bytesSource, hashAll, readAll } from "@trivault/storage";
import { chunked, inOneBuffer, MIB, newKey, range } from "./bytes.ts";
import type { StorePlace } from "./place.ts";

const LIMIT = 64 * MIB;

/** What was put comes back, whole or in part. */
export function describePutAndGet(place: StorePlace): void {
  describe("put and get", () => {
    test("give back what was put", async () => {
      const key = newKey();
      const bytes = randomBytes(300_000);
      let moved = 0;
      expect(await place.store.put(key, chunked(bytes, 7_777), { onBytes: (count) => (moved += count) })).toBe(
        "stored",
      );
      expect(moved).toBe(bytes.length);
      expect((await place.content(key)).equals(bytes)).toBe(true);
      const found = await place.store.stat(key);
      expect(found).toMatchObject({ key, size: bytes.length });
      expect(Math.abs(Date.now() - (found?.modifiedAt.getTime() ?? 0))).toBeLessThan(60_000);
    });

    test("carry an empty object", async () => {
      const key = newKey();
      expect(await place.store.put(key, bytesSource(new Uint8Array(0)))).toBe("stored");
      expect(await place.content(key)).toHaveLength(0);
      expect(await place.store.stat(key)).toMatchObject({ size: 0 });
      expect(await place.store.put(key, bytesSource(new Uint8Array(0)))).toBe("exists");
    });

    test("9.B14 carry objects of 33 MiB, larger than any segment, as copies put them", async () => {
      const bytes = randomBytes(33 * MIB);
      const sources = Array.from({ length: place.traits.largeObjects ?? 1 }, (_, index) =>
        inOneBuffer(index === 0 ? bytes : bytes.subarray(0, 7 * MIB), MIB),
      );
      const objects = sources.map((source) => ({ key: newKey(), source }));
      const puts = objects.map(({ key, source }) => place.store.put(key, source));
      expect(await Promise.all(puts)).toEqual(objects.map(() => "stored"));
      for (const { key, source } of objects) {
        expect(await hashAll(place.store.get(key))).toEqual({ size: source.size, sha256: source.sha256 });
      }
      const key = objects[0]?.key ?? newKey();
      expect((await readAll(place.store.get(key, { range: range(32 * MIB + 5, 99 * MIB) }), LIMIT)).length).toBe(
        MIB - 5,
      );
      for (const each of objects) await place.store.delete(each.key);
    });

    test("get gives the range asked for, cut at the object's end", async () => {
      const key = newKey();
      const bytes = randomBytes(700_000);
      await place.store.put(key, bytesSource(bytes));
      for (const [start, end] of [
        [0, 0],
        [10, 19],
        [255_999, 600_001],
        [699_999, 699_999],
        [699_000, 800_000],
      ] as const) {
        const part = await readAll(place.store.get(key, { range: range(start, end) }), LIMIT);
        expect(part.equals(bytes.subarray(start, end + 1))).toBe(true);
      }
      expect(await readAll(place.store.get(key, { range: range(700_000, 700_001) }), LIMIT)).toHaveLength(0);
    });

    test("an absent object is NOT_FOUND, and null for stat", async () => {
      await expect(place.content(newKey())).rejects.toMatchObject({ code: "NOT_FOUND" });
      expect(await place.store.stat(newKey())).toBeNull();
    });

    test("a get may be left early", async () => {
      const key = newKey();
      await place.store.put(key, bytesSource(randomBytes(5 * MIB)));
      for await (const chunk of place.store.get(key)) {
        expect(chunk.byteLength).toBeGreaterThan(0);
        break;
      }
      expect(await place.store.stat(key)).not.toBeNull();
    });
  });
}
