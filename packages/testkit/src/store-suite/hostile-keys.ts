import { randomBytes } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { type Key, newBackupId } from "@trivault/core";
import { bytesSource } from "@trivault/storage";
import { collect } from "./bytes.ts";
import type { StorePlace } from "./place.ts";

/** No key leads out of the place. */
export function describeHostileKeys(place: StorePlace): void {
  describe("hostile keys are refused by every verb", () => {
    const id = newBackupId();
    test.each([
      "../secret",
      "/etc/passwd",
      `shop/${id}/../../../etc/passwd`,
      `../${id}/manifest.json`,
      `shop/${id}/manifest.json\0.txt`,
      `shop/${id}/manifest.json/`,
      `shop/${id}/`,
      `shop//${id}/manifest.json`,
      `shop/${id.toUpperCase()}/manifest.json`,
      `.trivault/${id}/manifest.json`,
      "",
      "RECOVERY.md/..",
    ])("%j", async (hostile) => {
      const key = hostile as Key;
      const code = { code: "INPUT_INVALID" };
      await expect(place.store.put(key, bytesSource(randomBytes(3)))).rejects.toMatchObject(code);
      await expect(collect(place.store.get(key))).rejects.toMatchObject(code);
      await expect(place.store.stat(key)).rejects.toMatchObject(code);
      await expect(place.store.holds(key, { size: 0, sha256: "0".repeat(64) })).rejects.toMatchObject(code);
      await expect(place.store.delete(key)).rejects.toMatchObject(code);
    });

    test.each(["..", "../", "/", "shop", `shop/${id}`, `shop/${id}/manifest.json`, `shop/${id}/x/`, "shop/../"])(
      "as a prefix: %j",
      async (prefix) => {
        await expect(collect(place.store.list(prefix))).rejects.toMatchObject({ code: "INPUT_INVALID" });
        await expect(place.store.sweep(prefix, 0)).rejects.toMatchObject({ code: "INPUT_INVALID" });
      },
    );
  });
}
