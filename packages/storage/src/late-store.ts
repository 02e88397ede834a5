import { background } from "@trivault/core";
import type { Store } from "./store.ts";

/**
 * A store whose module is loaded at its first call: the libraries of SSH and S3 take longer to load than a command that needs
 * neither takes in all.
 */
export function lateStore(description: string, load: () => Promise<Store>): Store {
  let opened: Promise<Store> | null = null;
  const store = async () => {
    opened ??= background(load());
    try {
      return await opened;
    } catch (error) {
      opened = null; // the next call tries again
      throw error;
    }
  };
  return {
    description,
    put: async (...args) => (await store()).put(...args),
    replace: async (...args) => (await store()).replace(...args),
    async *get(...args) {
      yield* (await store()).get(...args);
    },
    stat: async (...args) => (await store()).stat(...args),
    holds: async (...args) => (await store()).holds(...args),
    async *list(...args) {
      yield* (await store()).list(...args);
    },
    delete: async (...args) => (await store()).delete(...args),
    sweep: async (...args) => (await store()).sweep(...args),
    capacity: async (...args) => (await store()).capacity(...args),
    async close() {
      const last = await opened?.catch(() => null); // one that never came about needs no end
      await last?.close();
    },
  };
}
