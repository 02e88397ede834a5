import { createHash, randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { backupKey, backupPrefix, type Key, newBackupId } from "@trivault/core";
import { bytesSource, hashAll, readAll, type Source, type Store, type StoredObject } from "@trivault/storage";
import { startTcpProxy } from "./tcp-proxy.ts";

export interface StoreHarness {
  /** A new client of one place, the same at each call, which was empty at first. The suite closes it. */
  open(): Store;
  /** Puts a file there behind the store's back, as another program would; the path need not be a key. */
  place(path: string, bytes: Uint8Array): Promise<void>;
  /** For stores on a network: where the server listens, and a client that reaches it at another port of this machine. */
  readonly network?: { readonly host: string; readonly port: number; openAt(port: number): Store };
  stop(): Promise<void>;
}

export interface StoreTraits {
  readonly network?: boolean;
  /** Dead writers leave temporary files, which `sweep` removes. */
  readonly temporaryFiles?: boolean;
  /** False where the server lets two writers of one key race (S3 without conditional PUT). Default: true. */
  readonly exclusivePut?: boolean;
}

const MIB = 1024 * 1024;
const LIMIT = 64 * MIB;

/** The promises of `Store`, one test each. Every store runs all of them, against the real thing. */
export function describeStore(name: string, makeHarness: () => Promise<StoreHarness>, traits: StoreTraits = {}): void {
  describe(name, () => {
    let harness: StoreHarness;
    let store: Store;
    beforeAll(async () => {
      harness = await makeHarness();
      store = harness.open();
    }, 120_000);
    afterAll(async () => {
      await store?.close();
      await harness?.stop();
    }, 60_000);

    const content = (key: Key) => readAll(store.get(key), LIMIT);

    describe("put and get", () => {
      test("give back what was put", async () => {
        const key = newKey();
        const bytes = randomBytes(300_000);
        let moved = 0;
        expect(await store.put(key, chunked(bytes, 7_777), { onBytes: (count) => (moved += count) })).toBe("stored");
        expect(moved).toBe(bytes.length);
        expect((await content(key)).equals(bytes)).toBe(true);
        const found = await store.stat(key);
        expect(found).toMatchObject({ key, size: bytes.length });
        expect(Math.abs(Date.now() - (found?.modifiedAt.getTime() ?? 0))).toBeLessThan(60_000);
      });

      test("carry an empty object", async () => {
        const key = newKey();
        expect(await store.put(key, bytesSource(new Uint8Array(0)))).toBe("stored");
        expect(await content(key)).toHaveLength(0);
        expect(await store.stat(key)).toMatchObject({ size: 0 });
        expect(await store.put(key, bytesSource(new Uint8Array(0)))).toBe("exists");
      });

      test("carry an object of 33 MiB, larger than any segment", async () => {
        const key = newKey();
        const bytes = randomBytes(33 * MIB);
        const source = chunked(bytes, 512 * 1024);
        expect(await store.put(key, source)).toBe("stored");
        expect(await hashAll(store.get(key))).toEqual({ size: bytes.length, sha256: source.sha256 });
        expect((await readAll(store.get(key, { range: range(32 * MIB + 5, 99 * MIB) }), LIMIT)).length).toBe(MIB - 5);
        await store.delete(key);
      }, 60_000);

      test("get gives the range asked for, cut at the object's end", async () => {
        const key = newKey();
        const bytes = randomBytes(700_000);
        await store.put(key, bytesSource(bytes));
        for (const [start, end] of [
          [0, 0],
          [10, 19],
          [255_999, 600_001],
          [699_999, 699_999],
          [699_000, 800_000],
        ] as const) {
          const part = await readAll(store.get(key, { range: range(start, end) }), LIMIT);
          expect(part.equals(bytes.subarray(start, end + 1))).toBe(true);
        }
        expect(await readAll(store.get(key, { range: range(700_000, 700_001) }), LIMIT)).toHaveLength(0);
      });

      test("an absent object is NOT_FOUND, and null for stat", async () => {
        await expect(content(newKey())).rejects.toMatchObject({ code: "NOT_FOUND" });
        expect(await store.stat(newKey())).toBeNull();
      });

      test("a get may be left early", async () => {
        const key = newKey();
        await store.put(key, bytesSource(randomBytes(5 * MIB)));
        for await (const chunk of store.get(key)) {
          expect(chunk.byteLength).toBeGreaterThan(0);
          break;
        }
        expect(await store.stat(key)).not.toBeNull();
      });
    });

    describe("put is whole or absent", () => {
      test("when the source fails half-way", async () => {
        const key = newKey();
        const bytes = randomBytes(2 * MIB);
        const source: Source = {
          ...bytesSource(bytes),
          async *open() {
            yield bytes.subarray(0, MIB);
            throw new Error("the disk under the source died");
          },
        };
        await expect(store.put(key, source)).rejects.toThrow("the disk under the source died");
        await expectAbsent(key);
        expect(await store.put(key, bytesSource(bytes))).toBe("stored");
      });

      test.each([
        ["other bytes of the same length", randomBytes(MIB), MIB],
        ["too few bytes", randomBytes(MIB - 1), MIB],
        ["too many bytes", randomBytes(MIB + 1), MIB],
        ["no bytes", randomBytes(0), MIB],
        ["bytes where none should be", randomBytes(1), 0],
      ])("when the source gives %s than its hash says", async (_, given, size) => {
        const key = newKey();
        const expected = bytesSource(randomBytes(size));
        const lying: Source = { ...expected, open: () => bytesSource(given).open() };
        await expect(store.put(key, lying)).rejects.toMatchObject({ code: "CORRUPT" });
        await expectAbsent(key);
      });

      if (traits.network) {
        test("when the connection is cut in the middle, and a retry through the same client mends it", async () => {
          const network = present(harness.network);
          const proxy = await startTcpProxy(network);
          const client = network.openAt(proxy.port);
          try {
            const key = newKey();
            const source = chunked(randomBytes(8 * MIB), 256 * 1024);
            await client.stat(key);
            proxy.cutAfter(3 * MIB);
            // A store may mend the cut by itself; if it says that it failed, nothing may be there.
            const outcome = await client.put(key, source).catch((error: unknown) => error);
            if (outcome !== "stored") {
              expect(outcome).toMatchObject({ code: "STORE_UNREACHABLE", permanent: false });
              expect(await store.stat(key)).toBeNull();
              expect(await client.put(key, source)).toBe("stored");
            }
            expect(proxy.sent()).toBeGreaterThan(8 * MIB);
            expect((await hashAll(store.get(key))).sha256).toBe(source.sha256);
          } finally {
            await client.close();
            await proxy.stop();
          }
        }, 60_000);

        test("a get that is cut in the middle fails, and never looks complete", async () => {
          const network = present(harness.network);
          const proxy = await startTcpProxy(network);
          const client = network.openAt(proxy.port);
          try {
            const key = newKey();
            await store.put(key, chunked(randomBytes(8 * MIB), MIB));
            let size = 0;
            const cut = async () => {
              for await (const chunk of client.get(key)) {
                size += chunk.byteLength;
                if (size > MIB) await proxy.stop();
              }
            };
            await expect(cut()).rejects.toMatchObject({ code: "STORE_UNREACHABLE" });
            expect(size).toBeLessThan(8 * MIB);
          } finally {
            await client.close();
            await proxy.stop().catch(() => {}); // Already stopped by the test itself.
          }
        }, 60_000);

        test("a server that cannot be reached is STORE_UNREACHABLE, worth a retry", async () => {
          const network = present(harness.network);
          const proxy = await startTcpProxy(network);
          await proxy.stop();
          const client = network.openAt(proxy.port);
          await expect(client.stat(newKey())).rejects.toMatchObject({ code: "STORE_UNREACHABLE", permanent: false });
          await client.close();
        }, 60_000);
      }
    });

    describe("put never overwrites", () => {
      test("the same bytes again exist, other bytes are refused", async () => {
        const key = newKey();
        const bytes = randomBytes(2 * MIB);
        await store.put(key, bytesSource(bytes));
        expect(await store.put(key, chunked(bytes, 100_000))).toBe("exists");
        for (const other of [randomBytes(2 * MIB), randomBytes(5), randomBytes(0)]) {
          await expect(store.put(key, bytesSource(other))).rejects.toMatchObject({ code: "EXISTS", permanent: true });
        }
        expect((await content(key)).equals(bytes)).toBe(true);
      });

      test("of many writers of the same bytes each succeeds", async () => {
        const second = harness.open();
        const key = newKey();
        const source = chunked(randomBytes(MIB + 1), 300_000);
        const outcomes = await Promise.all([store, second, store, second].map((each) => each.put(key, source)));
        await second.close();
        expect(outcomes).toContain("stored");
        expect(await hashAll(store.get(key))).toMatchObject({ sha256: source.sha256 });
      });

      if (traits.exclusivePut ?? true) {
        test("of many writers of different bytes one wins and the others are told", async () => {
          const second = harness.open();
          const key = newKey();
          const sources = [0, 1, 2, 3].map(() => bytesSource(randomBytes(MIB + 1)));
          const outcomes = await Promise.allSettled(
            sources.map((source, i) => (i % 2 ? store : second).put(key, source)),
          );
          await second.close();
          const winners = sources.filter((_, i) => outcomes[i]?.status === "fulfilled");
          expect(winners).toHaveLength(1);
          for (const outcome of outcomes) {
            if (outcome.status === "rejected") expect(outcome.reason).toMatchObject({ code: "EXISTS" });
          }
          expect((await hashAll(store.get(key))).sha256).toBe(winners[0]?.sha256);
        });
      }
    });

    test("holds tells whether exactly these bytes lie there", async () => {
      const key = newKey();
      const bytes = randomBytes(2 * MIB);
      const { size, sha256 } = bytesSource(bytes);
      expect(await store.holds(key, { size, sha256 })).toBe(false);
      await harness.place(key, bytes);
      expect(await store.holds(key, { size, sha256 })).toBe(true);
      expect(await store.holds(key, { size, sha256: "0".repeat(64) })).toBe(false);
      expect(await store.holds(key, { size: size - 1, sha256 })).toBe(false);
      const flipped = newKey();
      await harness.place(flipped, bytes.fill(bytes.readUInt8(MIB) ^ 1, MIB, MIB + 1));
      expect(await store.holds(flipped, { size, sha256 })).toBe(false);
    });

    describe("list", () => {
      test("finds thousands of objects, sorted, and none of its neighbours'", async () => {
        const [database, neighbour] = [newDatabase(), newDatabase()];
        const ids = [newBackupId(), newBackupId()].sort();
        const bytes = randomBytes(3);
        const keys = ids.flatMap((id) =>
          Array.from({ length: 1_000 }, (_, i) =>
            backupKey(database, id, `data-${String(i + 1).padStart(6, "0")}.zst`),
          ),
        );
        await eachOf([...keys, newKey(neighbour)].toReversed(), 32, (key) => harness.place(key, bytes));
        const found = await collect(store.list(backupPrefix(database)));
        expect(found.map((object) => object.key)).toEqual(keys);
        expect(found.every((object) => object.size === 3)).toBe(true);
        expect(await collect(store.list(backupPrefix(database, ids[1])))).toHaveLength(1_000);
        const all = (await collect(store.list(""))).map((object) => object.key);
        expect(all).toEqual([...all].sort());
        expect(all.filter((key) => key.startsWith(backupPrefix(database)))).toHaveLength(2_000);
        expect(all.filter((key) => key.startsWith(backupPrefix(neighbour)))).toHaveLength(1);
      }, 120_000);

      test("passes over what is not ours", async () => {
        const database = newDatabase();
        const key = newKey(database);
        await store.put(key, bytesSource(randomBytes(9)));
        const folder = key.slice(0, key.lastIndexOf("/"));
        for (const foreign of ["notes.txt", `${database}/readme`, `${folder}/data-1.zst`, `${folder}/.hidden`]) {
          await harness.place(foreign, randomBytes(3));
        }
        await harness.place(`${database}/2026-backup/manifest.json`, randomBytes(3));
        await harness.place(`${folder}/more/manifest.json`, randomBytes(3));
        expect((await collect(store.list(`${database}/`))).map((object) => object.key)).toEqual([key]);
        expect((await collect(store.list(""))).map((object) => object.key)).toContain(key);
      });

      test("of nothing is empty", async () => {
        expect(await collect(store.list(backupPrefix(newDatabase())))).toEqual([]);
        expect(await collect(store.list(backupPrefix(newDatabase(), newBackupId())))).toEqual([]);
      });
    });

    test("delete is idempotent", async () => {
      const key = newKey();
      const sibling = key.replace("000001", "000002") as Key;
      await store.put(key, bytesSource(randomBytes(10)));
      await store.put(sibling, bytesSource(randomBytes(10)));
      await store.delete(key);
      await store.delete(key);
      await store.delete(newKey());
      expect(await store.stat(key)).toBeNull();
      expect(await store.stat(sibling)).not.toBeNull();
      await store.delete(sibling);
      await expectAbsent(key);
      expect(await store.put(key, bytesSource(randomBytes(10)))).toBe("stored");
    });

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
        await expect(store.put(key, bytesSource(randomBytes(3)))).rejects.toMatchObject(code);
        await expect(collect(store.get(key))).rejects.toMatchObject(code);
        await expect(store.stat(key)).rejects.toMatchObject(code);
        await expect(store.holds(key, { size: 0, sha256: "0".repeat(64) })).rejects.toMatchObject(code);
        await expect(store.delete(key)).rejects.toMatchObject(code);
      });

      test.each(["..", "../", "/", "shop", `shop/${id}`, `shop/${id}/manifest.json`, `shop/${id}/x/`, "shop/../"])(
        "as a prefix: %j",
        async (prefix) => {
          await expect(collect(store.list(prefix))).rejects.toMatchObject({ code: "INPUT_INVALID" });
          await expect(store.sweep(prefix, 0)).rejects.toMatchObject({ code: "INPUT_INVALID" });
        },
      );
    });

    describe("an abort ends", () => {
      test("every verb that was told before it began", async () => {
        const signal = AbortSignal.abort();
        const key = newKey();
        const code = { code: "CANCELLED" };
        await expect(store.put(key, bytesSource(randomBytes(3)), { signal })).rejects.toMatchObject(code);
        await expect(collect(store.get(key, { signal }))).rejects.toMatchObject(code);
        await expect(store.stat(key, { signal })).rejects.toMatchObject(code);
        await expect(store.holds(key, bytesSource(randomBytes(3)), { signal })).rejects.toMatchObject(code);
        await expect(collect(store.list("", { signal }))).rejects.toMatchObject(code);
        await expect(store.delete(key, { signal })).rejects.toMatchObject(code);
        await expect(store.sweep("", 0, { signal })).rejects.toMatchObject(code);
        await expect(store.capacity({ signal })).rejects.toMatchObject(code);
        await expectAbsent(key);
      });

      test("a put whose source has fallen silent", async () => {
        const key = newKey();
        const bytes = randomBytes(2 * MIB);
        const controller = new AbortController();
        const source: Source = {
          ...bytesSource(bytes),
          async *open() {
            yield bytes.subarray(0, MIB);
            setTimeout(() => controller.abort(), 100);
            await new Promise(() => {});
          },
        };
        const started = performance.now();
        await expect(store.put(key, source, { signal: controller.signal })).rejects.toMatchObject({
          code: "CANCELLED",
        });
        expect(performance.now() - started).toBeLessThan(5_000);
        await expectAbsent(key);
        expect(await store.put(key, bytesSource(bytes))).toBe("stored");
      }, 20_000);

      test("a get in the middle", async () => {
        const key = newKey();
        await store.put(key, bytesSource(randomBytes(8 * MIB)));
        const controller = new AbortController();
        let size = 0;
        const reading = async () => {
          for await (const chunk of store.get(key, { signal: controller.signal })) {
            size += chunk.byteLength;
            controller.abort();
          }
        };
        await expect(reading()).rejects.toMatchObject({ code: "CANCELLED" });
        expect(size).toBeLessThan(8 * MIB);
        expect(await store.stat(key)).not.toBeNull();
      }, 20_000);

      test("a list in the middle", async () => {
        const database = newDatabase();
        for (let i = 0; i < 3; i++) await store.put(newKey(database), bytesSource(randomBytes(3)));
        const controller = new AbortController();
        const listing = async () => {
          for await (const _ of store.list(`${database}/`, { signal: controller.signal })) controller.abort();
        };
        await expect(listing()).rejects.toMatchObject({ code: "CANCELLED" });
      });
    });

    if (traits.temporaryFiles) {
      test("sweep removes what dead writers left, and nothing else", async () => {
        const database = newDatabase();
        const key = newKey(database);
        await store.put(key, bytesSource(randomBytes(3)));
        const folder = key.slice(0, key.lastIndexOf("/"));
        const left = `${folder}/.data-000002.zst.age.0123456789abcdef.tmp`;
        const foreign = `${folder}/.data-000002.zst.age.tmp`;
        await harness.place(left, randomBytes(3));
        await harness.place(foreign, randomBytes(3));
        expect(await store.sweep(`${database}/`, 3_600_000)).toBe(0);
        expect(await store.sweep(`${database}/`, -2_000)).toBe(1);
        expect(await store.sweep(`${database}/`, -2_000)).toBe(0);
        expect(await store.stat(key)).not.toBeNull();
      });
    } else {
      test("sweep finds nothing to remove", async () => {
        expect(await store.sweep("", 0)).toBe(0);
      });
    }

    test("capacity is null, or free bytes within total bytes", async () => {
      const capacity = await store.capacity();
      if (capacity === null) return;
      expect(capacity.total).toBeGreaterThan(0);
      expect(capacity.free).toBeGreaterThan(0);
      expect(capacity.free).toBeLessThanOrEqual(capacity.total);
    });

    test("close leaves no handle open, whatever was done before", async () => {
      const before = openHandles();
      const client = harness.open();
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

    async function expectAbsent(key: Key): Promise<void> {
      expect(await store.stat(key)).toBeNull();
      await expect(content(key)).rejects.toMatchObject({ code: "NOT_FOUND" });
      const folder = key.slice(0, key.lastIndexOf("/") + 1);
      expect(await collect(store.list(folder))).toEqual([]);
      if (traits.temporaryFiles) expect(await store.sweep(folder, -2_000)).toBe(0);
    }
  });
}

/** Source of given bytes in chunks of a size, as a file or socket would give them. */
export function chunked(bytes: Uint8Array, chunkSize: number): Source {
  return {
    size: bytes.byteLength,
    sha256: createHash("sha256").update(bytes).digest("hex"),
    async *open() {
      for (let at = 0; at < bytes.byteLength; at += chunkSize) yield bytes.subarray(at, at + chunkSize);
    },
  };
}

/** Runs `work` for each item, `limit` at a time. */
export async function eachOf<T>(items: readonly T[], limit: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  await Promise.all(
    Array.from({ length: limit }, async () => {
      for (const item of queue) await work(item);
    }),
  );
}

function newDatabase(): string {
  return `db_${randomBytes(6).toString("hex")}`;
}

function newKey(database = newDatabase()): Key {
  return backupKey(database, newBackupId(), "data-000001.zst.age");
}

function range(start: number, end: number): { start: number; end: number } {
  return { start, end };
}

async function collect<T extends StoredObject | Uint8Array>(items: AsyncIterable<T>): Promise<T[]> {
  return Array.fromAsync(items);
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("this harness needs `network`");
  return value;
}

function openHandles(): number {
  return readdirSync("/proc/self/fd").length;
}
