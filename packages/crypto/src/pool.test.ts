import { setImmediate } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import { createPool } from "./pool.ts";

/** Takes a slot, and says whether it came at once. */
async function given(pool: ReturnType<typeof createPool>): Promise<boolean> {
  let came = false;
  pool.take().then(
    () => (came = true),
    () => undefined,
  );
  await setImmediate();
  return came;
}

test("a second release of the same slot gives nobody else a place", async () => {
  const pool = createPool(2);
  const [first] = [await pool.take(), await pool.take()];
  first.release();
  first.release();
  expect(await given(pool)).toBe(true);
  expect(await given(pool)).toBe(false);
});

test("whoever waited longest is next; who gave up while waiting takes no place", async () => {
  const pool = createPool(1);
  const slot = await pool.take();
  const controller = new AbortController();
  const gaveUp = pool.take(controller.signal);
  const next = pool.take();
  controller.abort();
  await expect(gaveUp).rejects.toMatchObject({ code: "CANCELLED" });
  slot.keep(new ArrayBuffer(7));
  slot.release();
  const granted = await next;
  expect([granted.memory(7).byteLength, granted.memory(8).byteLength]).toEqual([7, 8]);
});

test("closing ends those who wait, and lets nobody in", async () => {
  const pool = createPool(1);
  await pool.take();
  const waiting = pool.take();
  pool.close();
  await expect(waiting).rejects.toMatchObject({ code: "CANCELLED" });
  await expect(pool.take()).rejects.toMatchObject({ code: "CANCELLED" });
});
