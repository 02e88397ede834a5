import { type ErrorCode, type Key, MANIFEST, TrivaultError } from "@trivault/core";
import type { MaintenanceSite } from "../src/maintenance-site.ts";
import type { FakeSite } from "./fake-site.ts";

/** A site whose tier does not give out what a test says; what changes that tier is counted. */
export function failing(
  fake: FakeSite,
  name: string,
  fails: (key: Key) => unknown,
): { readonly site: MaintenanceSite; readonly changes: string[] } {
  const changes: string[] = [];
  const site = fake.with((store, tier) => {
    if (tier !== name) return store;
    const check = (key: Key) => {
      const error = fails(key);
      if (error !== null) throw error as Error;
    };
    return {
      ...store,
      async *get(key, options) {
        check(key);
        yield* store.get(key, options);
      },
      async holds(key, bytes, options) {
        check(key);
        return store.holds(key, bytes, options);
      },
      put: (key, ...rest) => (changes.push(`put ${key}`), store.put(key, ...rest)),
      replace: (key, ...rest) => (changes.push(`replace ${key}`), store.replace(key, ...rest)),
      delete: (key, ...rest) => (changes.push(`delete ${key}`), store.delete(key, ...rest)),
    };
  });
  return { site, changes };
}

export const isManifest = (key: Key) => key.endsWith(MANIFEST);
export const errorOf = (code: ErrorCode) => new TrivaultError(code, `reading failed: ${code}`);
