import { rm } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { sha256Hex, splitKey } from "@trivault/core";
import { readAll, type Store } from "@trivault/storage";
import {
  beginDump,
  createdBy,
  type FakeDump,
  type FakeSite,
  fakeSite,
  sampleContent,
  SEGMENT,
} from "../../test/fake-dump.ts";
import { listCopies, readManifest } from "../copies.ts";
import { giveUp } from "../give-up.ts";
import { journalReader } from "../journal.ts";
import type { BackupRef } from "../site.ts";
import { encryptStage } from "./encrypt.ts";

let fake: FakeSite;
beforeEach(async () => {
  fake = await fakeSite();
});
afterEach(async () => fake[Symbol.asyncDispose]());

const content = sampleContent(SEGMENT + 1000);

/**
 * Stores whose n-th step of one that works on them is where its process is stopped (SIGSTOP), until `wake`. A put, or a create, has three steps: its
 * beginning, the moment between its last byte and its publication, and its end.
 */
function stoppingStores(n: number) {
  const stopped = Promise.withResolvers<void>();
  const awake = Promise.withResolvers<void>();
  let steps = 0;
  const step = async () => {
    if (++steps !== n) return;
    stopped.resolve();
    await awake.promise;
  };
  const around = async <T>(work: () => Promise<T>): Promise<T> => {
    await step();
    const result = await work();
    await step();
    return result;
  };
  const wrap = (store: Store): Store => ({
    ...store,
    put: (key, source, options) => {
      const open: typeof source.open = async function* (signal) {
        yield* source.open(signal);
        await step();
      };
      return around(() => store.put(key, { ...source, open }, options));
    },
    ...createdBy(store, around, step),
    delete: (...args) => around(() => store.delete(...args)),
    holds: (...args) => around(() => store.holds(...args)),
    sweep: (...args) => around(() => store.sweep(...args)),
  });
  return { wrap, stopped: stopped.promise, wake: () => awake.resolve(), reached: () => steps >= n };
}

/** Each segment that the manifest lists lies there with exactly those bytes. */
async function expectWhole(ref: BackupRef) {
  const [local] = fake.site.tiers;
  const stored = await readManifest(local, ref);
  expect(stored?.signed.manifest.segments).toHaveLength(3);
  for (const segment of stored?.signed.manifest.segments ?? []) {
    const objects = await Array.fromAsync(local.store.list(`${ref.database}/${ref.backupId}/`));
    const key = objects.find((object) => splitKey(object.key)?.file === segment.name)?.key;
    if (key === undefined) throw new Error(`${segment.name} is missing`);
    expect(sha256Hex(await readAll(local.store.get(key), 10 * SEGMENT))).toBe(segment.sha256);
  }
  expect(await fake.contentOf(local, ref)).toEqual(content);
}

/** Another worker takes over, as if the one that is stopped had been silent for long; here its lease goes on to beat. */
async function takeOver({ ref, run }: FakeDump): Promise<void> {
  await rm(run.sealLease, { force: true });
  await encryptStage(fake.site, ref, fake.context());
}

describe("9.A6 a worker that was stopped, and wakes up after another took its work over,", () => {
  test.each(["", "after an older worker left a segment without a journal line"])(
    "replaces nothing that the other journaled, wherever it was stopped %s",
    async (before) => {
      for (let n = 1; ; n++) {
        const dump = await beginDump(fake);
        await dump.finish(content);
        if (before) {
          // Killed right after it was published.
          const killed = fake.with((store) => ({
            ...store,
            ...createdBy(store, async (create) => {
              await create();
              throw new Error("killed");
            }),
          }));
          await expect(encryptStage(killed, dump.ref, fake.context())).rejects.toThrow("killed");
        }
        const stopping = stoppingStores(n);
        const stale = encryptStage(fake.with(stopping.wrap), dump.ref, fake.context()).then(
          () => "done",
          (error: Error) => error.message,
        );
        await Promise.race([stopping.stopped, stale]);
        if (!stopping.reached()) {
          expect(n).toBeGreaterThan(10); // each step of a sweep, of the puts of three segments and the manifest, and between them
          break;
        }
        await takeOver(dump);
        await expectWhole(dump.ref);
        stopping.wake();
        await stale;
        await expectWhole(dump.ref);
      }
    },
  );

  test("its journal lines are true: they name what lies there, whoever wrote them", async () => {
    const dump = await beginDump(fake);
    await dump.write(0, content.subarray(0, SEGMENT));
    await dump.write(1, content.subarray(SEGMENT));
    // Published, and stopped before the journal line.
    const stopping = stoppingStores(5);
    const stale = encryptStage(fake.with(stopping.wrap), dump.ref, fake.context()).catch(() => undefined);
    await stopping.stopped;
    const fresh = takeOver(dump);
    const reader = journalReader(dump.run.journal);
    for (let seen = 0; seen < 1;) seen += ((await reader.read()) ?? []).length;
    stopping.wake();
    await stale;
    await dump.finish(content);
    await fresh;
    await expectWhole(dump.ref);
  });

  test("commits nothing of a backup that was given up meanwhile, wherever it was stopped", async () => {
    for (let n = 1; ; n++) {
      const dump = await beginDump(fake);
      await dump.finish(content);
      const stopping = stoppingStores(n);
      const stale = encryptStage(fake.with(stopping.wrap), dump.ref, fake.context()).catch(() => undefined);
      await Promise.race([stopping.stopped, stale]);
      if (!stopping.reached()) break;
      await giveUp(fake.site, dump.ref, "for this test");
      stopping.wake();
      await stale;
      const copies = await listCopies(fake.site.tiers[0], dump.ref);
      if (copies[0]?.complete) await expectWhole(dump.ref);
    }
  });
});
