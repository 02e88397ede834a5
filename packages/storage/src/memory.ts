import { type Key, toKey, sha256Hex } from "@trivault/core";
import { throwIfAborted } from "./cancellation.ts";
import { sizedChunks } from "./source.ts";
import type { GetOptions, Source, Store } from "./store.ts";
import { existsWithOtherBytes, notFound, wrongBytes } from "./store-errors.ts";
import { checkPrefix } from "./tree.ts";

/** A store in this process's memory, for tests of whatever uses stores; gone with the process. */
export function memoryStore(name = "test"): Store {
  const description = `memory:${name}`;
  const objects = new Map<Key, { bytes: Buffer; modifiedAt: Date }>();

  async function take(key: Key, source: Source, signal: AbortSignal | undefined): Promise<Buffer> {
    const bytes = Buffer.alloc(source.size);
    let filled = 0;
    for await (const chunk of sizedChunks(source, { store: description, key }, signal)) {
      bytes.set(chunk, filled);
      filled += chunk.byteLength;
    }
    if (sha256Hex(bytes) !== source.sha256) throw wrongBytes(description, key, "their SHA-256 differs");
    return bytes;
  }

  async function* get(unchecked: Key, { signal, range, onBytes }: GetOptions = {}): AsyncGenerator<Uint8Array> {
    const key = toKey(unchecked);
    throwIfAborted(signal);
    const object = objects.get(key);
    if (!object) throw notFound(description, key);
    const end = Math.min(object.bytes.length, (range?.end ?? Number.POSITIVE_INFINITY) + 1);
    for (let at = range?.start ?? 0; at < end; at += 256 * 1024) {
      const chunk = Buffer.from(object.bytes.subarray(at, Math.min(end, at + 256 * 1024)));
      onBytes?.(chunk.length);
      yield chunk;
      throwIfAborted(signal);
    }
  }

  return {
    description,
    async put(unchecked, source, { signal, onBytes } = {}) {
      const key = toKey(unchecked);
      const bytes = await take(key, source, signal);
      const stored = objects.get(key);
      if (stored && !stored.bytes.equals(bytes)) throw existsWithOtherBytes(description, key);
      onBytes?.(bytes.length);
      if (stored) return "exists";
      objects.set(key, { bytes, modifiedAt: new Date() });
      return "stored";
    },
    async replace(unchecked, source, { signal, onBytes } = {}) {
      const key = toKey(unchecked);
      const bytes = await take(key, source, signal);
      onBytes?.(bytes.length);
      objects.set(key, { bytes, modifiedAt: new Date() });
    },
    get,
    async stat(unchecked, { signal } = {}) {
      const key = toKey(unchecked);
      throwIfAborted(signal);
      const object = objects.get(key);
      return object ? { key, size: object.bytes.length, modifiedAt: object.modifiedAt } : null;
    },
    async holds(unchecked, bytes, { signal, onBytes } = {}) {
      const object = objects.get(toKey(unchecked));
      throwIfAborted(signal);
      onBytes?.(object?.bytes.length ?? 0);
      return object !== undefined && object.bytes.length === bytes.size && sha256Hex(object.bytes) === bytes.sha256;
    },
    async *list(prefix, { signal } = {}) {
      checkPrefix(prefix);
      for (const [key, object] of [...objects].sort(([a], [b]) => (a < b ? -1 : 1))) {
        throwIfAborted(signal);
        if (key.startsWith(prefix)) yield { key, size: object.bytes.length, modifiedAt: object.modifiedAt };
      }
    },
    async delete(unchecked, { signal } = {}) {
      const key = toKey(unchecked);
      throwIfAborted(signal);
      objects.delete(key);
    },
    async sweep(prefix, _olderThanMs, { signal } = {}) {
      checkPrefix(prefix);
      throwIfAborted(signal);
      return 0;
    },
    async capacity({ signal } = {}) {
      throwIfAborted(signal);
      return null;
    },
    async close() {},
  };
}
