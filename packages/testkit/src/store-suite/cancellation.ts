import { randomBytes } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { bytesSource, type Source } from "@trivault/storage";
import { collect, MIB, newDatabase, newKey } from "./bytes.ts";
import type { StorePlace } from "./place.ts";

/** An abort ends any verb, and leaves nothing behind. */
export function describeCancellation(place: StorePlace): void {
  describe("an abort ends", () => {
    test("every verb whose signal had aborted before it began", async () => {
      const signal = AbortSignal.abort();
      const key = newKey();
      const code = { code: "CANCELLED" };
      await expect(place.store.put(key, bytesSource(randomBytes(3)), { signal })).rejects.toMatchObject(code);
      await expect(collect(place.store.get(key, { signal }))).rejects.toMatchObject(code);
      await expect(place.store.stat(key, { signal })).rejects.toMatchObject(code);
      await expect(place.store.holds(key, bytesSource(randomBytes(3)), { signal })).rejects.toMatchObject(code);
      await expect(collect(place.store.list("", { signal }))).rejects.toMatchObject(code);
      await expect(place.store.delete(key, { signal })).rejects.toMatchObject(code);
      await expect(place.store.sweep("", 0, { signal })).rejects.toMatchObject(code);
      await expect(place.store.capacity({ signal })).rejects.toMatchObject(code);
      await place.expectAbsent(key);
    });

    test("a put whose source has fallen silent", async () => {
      const key = newKey();
      const bytes = randomBytes(2 * MIB);
      const controller = new AbortController();
      const source: Source = {
        ...bytesSource(bytes),
        async *open() {
          yield bytes.subarray(0, MIB);
          setTimeout(() => controller.abort(), 100);
          await new Promise(() => {});
        },
      };
      const started = performance.now();
      await expect(place.store.put(key, source, { signal: controller.signal })).rejects.toMatchObject({
        code: "CANCELLED",
      });
      expect(performance.now() - started).toBeLessThan(5_000);
      await place.expectAbsent(key);
      expect(await place.store.put(key, bytesSource(bytes))).toBe("stored");
    }, 20_000);

    test("a get in the middle", async () => {
      const key = newKey();
      await place.store.put(key, bytesSource(randomBytes(8 * MIB)));
      const controller = new AbortController();
      let size = 0;
      const reading = async () => {
        for await (const chunk of place.store.get(key, { signal: controller.signal })) {
          size += chunk.byteLength;
          controller.abort();
        }
      };
      await expect(reading()).rejects.toMatchObject({ code: "CANCELLED" });
      expect(size).toBeLessThan(8 * MIB);
      expect(await place.store.stat(key)).not.toBeNull();
    }, 20_000);

    test("a list in the middle", async () => {
      const database = newDatabase();
      for (let i = 0; i < 3; i++) await place.store.put(newKey(database), bytesSource(randomBytes(3)));
      const controller = new AbortController();
      const listing = async () => {
        for await (const _ of place.store.list(`${database}/`, { signal: controller.signal })) controller.abort();
      };
      await expect(listing()).rejects.toMatchObject({ code: "CANCELLED" });
    });
  });
}
