import { randomBytes } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { backupKey, backupPrefix, newBackupId } from "@trivault/core";
import { bytesSource } from "@trivault/storage";
import { collect, eachOf, newDatabase, newKey } from "./bytes.ts";
import type { StorePlace } from "./place.ts";

/** Tests for a place that is shared with others. */
export function describeListing(place: StorePlace): void {
  describe("list", () => {
    test("finds all of very many objects, sorted, and none of its neighbours'", async () => {
      const [database, neighbour] = [newDatabase(), newDatabase()];
      const ids = [newBackupId(), newBackupId()].sort();
      const half = (place.traits.listed ?? 1_100) / 2;
      const bytes = randomBytes(3);
      const keys = ids.flatMap((id) =>
        Array.from({ length: half }, (_, i) => backupKey(database, id, `data-${String(i + 1).padStart(6, "0")}.zst`)),
      );
      await eachOf([...keys, newKey(neighbour)].toReversed(), 32, (key) => place.harness.place(key, bytes));
      const found = await collect(place.store.list(backupPrefix(database)));
      expect(found.map((object) => object.key)).toEqual(keys);
      expect(found.every((object) => object.size === 3)).toBe(true);
      expect(await collect(place.store.list(backupPrefix(database, ids[1])))).toHaveLength(half);
      const all = (await collect(place.store.list(""))).map((object) => object.key);
      expect(all).toEqual([...all].sort());
      expect(all.filter((key) => key.startsWith(backupPrefix(database)))).toHaveLength(2 * half);
      expect(all.filter((key) => key.startsWith(backupPrefix(neighbour)))).toHaveLength(1);
    }, 120_000);

    test("passes over what is not ours", async () => {
      const database = newDatabase();
      const key = newKey(database);
      await place.store.put(key, bytesSource(randomBytes(9)));
      const folder = key.slice(0, key.lastIndexOf("/"));
      for (const foreign of ["notes.txt", `${database}/readme`, `${folder}/data-1.zst`, `${folder}/.hidden`]) {
        await place.harness.place(foreign, randomBytes(3));
      }
      await place.harness.place(`${database}/2026-backup/manifest.json`, randomBytes(3));
      await place.harness.place(`${folder}/more/manifest.json`, randomBytes(3));
      expect((await collect(place.store.list(`${database}/`))).map((object) => object.key)).toEqual([key]);
      expect((await collect(place.store.list(""))).map((object) => object.key)).toContain(key);
    });

    test("of nothing is empty", async () => {
      expect(await collect(place.store.list(backupPrefix(newDatabase())))).toEqual([]);
      expect(await collect(place.store.list(backupPrefix(newDatabase(), newBackupId())))).toEqual([]);
    });
  });
}
