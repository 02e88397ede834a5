import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { TrivaultError } from "@trivault/core";
import { acquireLease, watchLease } from "./lease.ts";

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "lease-"));
  file = path.join(folder, "x.lease");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const signal = new AbortController().signal;
const never = (error: TrivaultError) => {
  throw error;
};

describe("lease", () => {
  test("is renewed while it is held: a watcher never sees it silent for long", async () => {
    const lease = await acquireLease(file, { takeoverMs: 5000, signal, onLost: never });
    const watch = watchLease(file);
    let longest = 0;
    for (let i = 0; i < 25; i++) {
      longest = Math.max(longest, await watch.silentMs());
      await sleep(100);
    }
    expect(longest).toBeLessThan(2000);
    await lease.check();
    await lease.release();
  });

  test("a second taker waits for the first to release it", async () => {
    const first = await acquireLease(file, { takeoverMs: 60_000, signal, onLost: never });
    let got = false;
    const second = acquireLease(file, { takeoverMs: 60_000, signal, onLost: never }).then((lease) => {
      got = true;
      return lease;
    });
    await sleep(300);
    expect(got).toBe(false);
    await first.release();
    await (await second).release();
    expect(got).toBe(true);
  });

  test("of a silent owner goes to exactly one of two takers", async () => {
    await writeFile(file, "a-dead-worker 7");
    const abort = new AbortController();
    const takers = [1, 2].map(() => acquireLease(file, { takeoverMs: 2500, signal: abort.signal, onLost: never }));
    const winner = await Promise.race(takers);
    await sleep(1500);
    await winner.check();
    abort.abort();
    const outcomes = await Promise.allSettled(takers);
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    await winner.release();
  });

  test("an owner that slept too long finds out, and leaves the new owner's lease alone", async () => {
    const lost = Promise.withResolvers<string>();
    const sleeper = await acquireLease(file, { takeoverMs: 5000, signal, onLost: (error) => lost.resolve(error.code) });
    await writeFile(file, "somebody-else 0");
    await expect(sleeper.check()).rejects.toMatchObject({ code: "ABANDONED" });
    expect(await lost.promise).toBe("ABANDONED");
    await sleeper.release();
    expect(await readFile(file, "utf8")).toBe("somebody-else 0");
  });

  test("its owner notices when the folder is gone", async () => {
    const lost = Promise.withResolvers<string>();
    const lease = await acquireLease(file, { takeoverMs: 5000, signal, onLost: (error) => lost.resolve(error.code) });
    await rm(folder, { recursive: true });
    expect(await lost.promise).toBe("ABANDONED");
    await lease.release();
  });
});
