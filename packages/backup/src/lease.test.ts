import { mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { TrivaultError } from "@trivault/core";
import { until } from "@trivault/testkit";
import { acquireLease, watchLease } from "./lease.ts";

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "lease-"));
  file = path.join(folder, "x.lease");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const beatMs = 50;
const signal = new AbortController().signal;
const never = (error: TrivaultError) => {
  throw error;
};

describe("lease", () => {
  test("is renewed while it is held: a watcher never sees it silent for long", async () => {
    const lease = await acquireLease(file, { takeoverMs: 5000, signal, onLost: never, beatMs });
    const watch = watchLease(file);
    let longest = 0;
    let heard = 0;
    await until(async () => {
      const silent = await watch.silentMs();
      longest = Math.max(longest, silent);
      if (silent === 0) heard++;
      return heard === 5;
    });
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
    const takers = [1, 2].map(() =>
      acquireLease(file, { takeoverMs: 2500, signal: abort.signal, onLost: never, beatMs }),
    );
    const winner = await Promise.race(takers);
    // The other one sees that it lives.
    await until(async () => Number((await readFile(file, "utf8")).split(" ")[1]) >= 10);
    await winner.check();
    abort.abort();
    const outcomes = await Promise.allSettled(takers);
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    await winner.release();
  });

  test("an owner that slept too long finds out, and leaves the new owner's lease alone", async () => {
    const lost = Promise.withResolvers<string>();
    const sleeper = await acquireLease(file, {
      takeoverMs: 5000,
      signal,
      onLost: (error) => lost.resolve(error.code),
      beatMs,
    });
    await writeFile(file, "somebody-else 0");
    await expect(sleeper.check()).rejects.toMatchObject({ code: "ABANDONED" });
    expect(await lost.promise).toBe("ABANDONED");
    await sleeper.release();
    expect(await readFile(file, "utf8")).toBe("somebody-else 0");
  });

  test("an owner that was stopped in mid-beat takes nothing back from whoever took over", async () => {
    // Each look comes between the check and the write of a beat somewhere: it is taken over at any moment.
    for (let round = 0; round < 50; round++) {
      const lost = Promise.withResolvers<string>();
      const onLost = (error: TrivaultError) => lost.resolve(error.code);
      const sleeper = await acquireLease(file, { takeoverMs: 5000, signal, onLost, beatMs: 1 });
      await sleep(Math.random() * 4);
      await writeFile(`${file}.new`, "somebody-else 0");
      await rename(`${file}.new`, file);
      expect(await lost.promise).toBe("ABANDONED");
      await sleeper.release();
      expect(await readFile(file, "utf8")).toBe("somebody-else 0");
      await rm(file);
    }
  });

  test("its owner notices when the folder is gone", async () => {
    const lost = Promise.withResolvers<string>();
    const lease = await acquireLease(file, {
      takeoverMs: 5000,
      signal,
      onLost: (error) => lost.resolve(error.code),
      beatMs,
    });
    await rm(folder, { recursive: true });
    expect(await lost.promise).toBe("ABANDONED");
    await lease.release();
  });
});
