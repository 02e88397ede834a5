import { randomBytes } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { bytesSource, hashAll } from "@trivault/storage";
import { chunked, MIB, newKey } from "./bytes.ts";
import type { StorePlace } from "./place.ts";

/** What lies there stays as it is, whoever writes. */
export function describeNoOverwriting(place: StorePlace): void {
  describe("put never overwrites", () => {
    test("the same bytes again exist, other bytes are refused", async () => {
      const key = newKey();
      const bytes = randomBytes(2 * MIB);
      await place.store.put(key, bytesSource(bytes));
      expect(await place.store.put(key, chunked(bytes, 100_000))).toBe("exists");
      for (const other of [randomBytes(2 * MIB), randomBytes(5), randomBytes(0)]) {
        await expect(place.store.put(key, bytesSource(other))).rejects.toMatchObject({
          code: "EXISTS",
          permanent: true,
        });
      }
      expect((await place.content(key)).equals(bytes)).toBe(true);
    });

    test("of many writers of the same bytes each succeeds", async () => {
      const second = place.harness.open();
      const key = newKey();
      const source = chunked(randomBytes(MIB + 1), 300_000);
      const outcomes = await Promise.all(
        [place.store, second, place.store, second].map((each) => each.put(key, source)),
      );
      await second.close();
      expect(outcomes).toContain("stored");
      expect(await hashAll(place.store.get(key))).toMatchObject({ sha256: source.sha256 });
    });

    if (place.traits.exclusivePut ?? true) {
      test("one of many writers of different bytes wins, and the others learn it", async () => {
        const second = place.harness.open();
        const key = newKey();
        const sources = [0, 1, 2, 3].map(() => bytesSource(randomBytes(MIB + 1)));
        const outcomes = await Promise.allSettled(
          sources.map((source, i) => (i % 2 ? place.store : second).put(key, source)),
        );
        await second.close();
        const winners = sources.filter((_, i) => outcomes[i]?.status === "fulfilled");
        expect(winners).toHaveLength(1);
        for (const outcome of outcomes) {
          if (outcome.status === "rejected") expect(outcome.reason).toMatchObject({ code: "EXISTS" });
        }
        expect((await hashAll(place.store.get(key))).sha256).toBe(winners[0]?.sha256);
      });
    }
  });

  test("holds says whether exactly these bytes are there", async () => {
    const key = newKey();
    const bytes = randomBytes(2 * MIB);
    const { size, sha256 } = bytesSource(bytes);
    expect(await place.store.holds(key, { size, sha256 })).toBe(false);
    await place.harness.place(key, bytes);
    expect(await place.store.holds(key, { size, sha256 })).toBe(true);
    expect(await place.store.holds(key, { size, sha256: "0".repeat(64) })).toBe(false);
    expect(await place.store.holds(key, { size: size - 1, sha256 })).toBe(false);
    const flipped = newKey();
    await place.harness.place(flipped, bytes.fill(bytes.readUInt8(MIB) ^ 1, MIB, MIB + 1));
    expect(await place.store.holds(flipped, { size, sha256 })).toBe(false);
  });
}
