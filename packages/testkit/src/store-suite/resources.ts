import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import { bytesSource, hashAll } from "@trivault/storage";
import { collect, MIB, newKey, openHandles } from "./bytes.ts";
import type { StorePlace } from "./place.ts";

/** Room, and handles. */
export function describeResources(place: StorePlace): void {
  test("capacity is null, or free bytes within total bytes", async () => {
    const capacity = await place.store.capacity();
    if (capacity === null) return;
    expect(capacity.total).toBeGreaterThan(0);
    expect(capacity.free).toBeGreaterThan(0);
    expect(capacity.free).toBeLessThanOrEqual(capacity.total);
  });

  test("close leaves no handle open, whatever was done before", async () => {
    const before = openHandles();
    const client = place.harness.open();
    const key = newKey();
    await client.put(key, bytesSource(randomBytes(2 * MIB)));
    await client.put(newKey(), { ...bytesSource(randomBytes(9)), sha256: "0".repeat(64) }).catch(() => {});
    await hashAll(client.get(key));
    for await (const _ of client.get(key)) break;
    await collect(client.get(newKey())).catch(() => {});
    for await (const _ of client.list("")) break;
    await client.put(key, bytesSource(randomBytes(9))).catch(() => {});
    await client.close();
    await client.close();
    const end = Date.now() + 3_000;
    while (openHandles() > before && Date.now() < end) await sleep(20);
    expect(openHandles()).toBeLessThanOrEqual(before);
  }, 20_000);
}
