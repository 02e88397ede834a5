import { expect } from "@jest/globals";
import type { Key } from "@trivault/core";
import { readAll, type Store } from "@trivault/storage";
import { collect, MIB } from "./bytes.ts";

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
  /** How many large objects it is given at a time, the first of 33 MiB. Default: 1. */
  readonly largeObjects?: number;
  /** How many objects are listed. Default: 1,100, which is more than a page of S3. */
  readonly listed?: number;
}

/** Where the tests of a store look. `harness` and `store` are there once the tests run. */
export interface StorePlace {
  readonly traits: StoreTraits;
  harness: StoreHarness;
  store: Store;
  content(key: Key): Promise<Buffer>;
  expectAbsent(key: Key): Promise<void>;
}

const LIMIT = 64 * MIB;

export function emptyPlace(traits: StoreTraits): StorePlace {
  const place: StorePlace = {
    traits,
    harness: undefined as never,
    store: undefined as never,
    content: (key) => readAll(place.store.get(key), LIMIT),
    async expectAbsent(key) {
      expect(await place.store.stat(key)).toBeNull();
      await expect(place.content(key)).rejects.toMatchObject({ code: "NOT_FOUND" });
      const folder = key.slice(0, key.lastIndexOf("/") + 1);
      expect(await collect(place.store.list(folder))).toEqual([]);
      if (traits.temporaryFiles) expect(await place.store.sweep(folder, -2_000)).toBe(0);
    },
  };
  return place;
}
