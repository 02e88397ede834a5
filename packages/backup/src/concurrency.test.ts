import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "@jest/globals";
import { forEachConcurrently } from "./concurrency.ts";

async function* count(to: number): AsyncGenerator<number, string> {
  for (let i = 1; i <= to; i++) yield i;
  return "counted";
}
const signal = new AbortController().signal;

describe("forEachConcurrently", () => {
  test("does every item, never more than the limit at once, and returns what the generator returned", async () => {
    let running = 0;
    let most = 0;
    const done: number[] = [];
    const returned = await forEachConcurrently(
      () => count(20),
      { limit: 3, signal },
      async (item) => {
        most = Math.max(most, ++running);
        await sleep(item % 3);
        running--;
        done.push(item);
      },
    );
    expect(returned).toBe("counted");
    expect(done.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    expect(most).toBe(3);
  });

  test("one failure aborts the others, is what is thrown, and nothing runs on after the call has settled", async () => {
    let running = 0;
    const aborted: number[] = [];
    const call = forEachConcurrently(
      () => count(20),
      { limit: 4, signal },
      async (item, itemSignal) => {
        running++;
        try {
          if (item === 2) throw new Error("item 2 is broken");
          await sleep(5000, undefined, { signal: itemSignal }).catch(() => aborted.push(item));
        } finally {
          running--;
        }
      },
    );
    await expect(call).rejects.toThrow("item 2 is broken");
    expect(running).toBe(0);
    expect(aborted).toContain(1);
  });

  test("a failing generator lets running items end first", async () => {
    let ended = false;
    async function* broken(): AsyncGenerator<number, void> {
      yield 1;
      await sleep(10);
      throw new Error("no more");
    }
    const call = forEachConcurrently(broken, { limit: 2, signal }, async (_item, itemSignal) => {
      await sleep(5000, undefined, { signal: itemSignal }).catch(() => undefined);
      ended = true;
    });
    await expect(call).rejects.toThrow("no more");
    expect(ended).toBe(true);
  });

  test("ends when the caller aborts", async () => {
    const abort = new AbortController();
    const call = forEachConcurrently(
      () => count(3),
      { limit: 1, signal: abort.signal },
      async (_item, itemSignal) => {
        await sleep(5000, undefined, { signal: itemSignal });
      },
    );
    setTimeout(() => abort.abort(new Error("enough")), 20);
    await expect(call).rejects.toThrow();
  });
});
