import { randomBytes } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { bytesSource, type Source } from "@trivault/storage";
import { chunked, collect, MIB, newKey } from "./bytes.ts";
import type { StorePlace } from "./place.ts";

/** What was proven wrong gives way to the right bytes, and to nothing else. */
export function describeReplacing(place: StorePlace): void {
  describe("9.A1 replace", () => {
    test("puts the new bytes in the place of the old, or where there are none", async () => {
      const key = newKey();
      for (const bytes of [randomBytes(MIB + 5), randomBytes(MIB + 5), randomBytes(7)]) {
        await place.store.replace(key, chunked(bytes, 100_000));
        expect((await place.content(key)).equals(bytes)).toBe(true);
      }
      const folder = key.slice(0, key.lastIndexOf("/") + 1);
      expect((await collect(place.store.list(folder))).map((object) => object.key)).toEqual([key]);
      if (place.traits.temporaryFiles) expect(await place.store.sweep(folder, -2_000)).toBe(0);
    });

    test("leaves the old ones where the new ones are not what they should be, or cannot be read", async () => {
      const key = newKey();
      const old = randomBytes(MIB);
      await place.store.put(key, bytesSource(old));
      const expected = bytesSource(randomBytes(MIB));
      const lying: Source = { ...expected, open: () => bytesSource(randomBytes(MIB)).open() };
      await expect(place.store.replace(key, lying)).rejects.toMatchObject({ code: "CORRUPT" });
      const failing: Source = {
        ...expected,
        async *open() {
          yield randomBytes(MIB / 2);
          throw new Error("the source died");
        },
      };
      await expect(place.store.replace(key, failing)).rejects.toThrow("the source died");
      const late = place.store.replace(key, expected, { signal: AbortSignal.abort() });
      await expect(late).rejects.toMatchObject({ code: "CANCELLED" });
      expect((await place.content(key)).equals(old)).toBe(true);
    });
  });
}
