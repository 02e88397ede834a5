import type { Key } from "@trivault/core";

/**
 * Where the bytes of a tier lie. Every store keeps the same promises, and one suite
 * (`@trivault/testkit` describeStore) holds each of them to it:
 *
 * - `put` is whole or absent: no reader ever sees a part under the final name, however the writer dies. What it reports
 *   as stored was verified where it lies: bytes that differ from `source.sha256` are never left under the key (CORRUPT).
 * - `put` never overwrites: the same bytes again answer "exists"; other bytes under the key are EXISTS, permanent.
 * - `create` is a `put` of bytes that are made while they are written, whose hash whoever makes them takes.
 * - `replace` puts these bytes in the place of whatever lies under the key: a reader sees the old ones or the new ones, whole,
 *   and where it fails the old ones stay. Only for what is proven wrong; everything else is `put`.
 * - `get` streams the object, or a range of it, cut at the object's end; NOT_FOUND where it is absent.
 * - `delete` is idempotent.
 * - Every call ends soon after `signal` aborts (CANCELLED), and on a dead peer after the store's own time-outs.
 * - Failures are TrivaultErrors: STORE_UNREACHABLE and STORE_FAILED are worth a retry; STORE_REFUSED, HOST_KEY, KEY_FILE
 *   are permanent; STORE_FULL may pass.
 */
export interface Store {
  /** For messages: `local:/srv/backups`, `sftp://user@host:22/dir`, `s3://bucket/prefix`. */
  readonly description: string;
  put(key: Key, source: Source, options?: CallOptions): Promise<"stored" | "exists">;
  replace(key: Key, source: Source, options?: CallOptions): Promise<void>;
  /**
   * Has `write` fill a new file, given by its descriptor, which is then brought to the disk and published. Nothing is where
   * `write` throws; EXISTS, permanent, where something lies under the key, before or after. Only the local store has it.
   */
  readonly create?: (key: Key, write: (file: number) => Promise<void>, options?: CallOptions) => Promise<void>;
  get(key: Key, options?: GetOptions): AsyncIterable<Uint8Array>;
  stat(key: Key, options?: CallOptions): Promise<StoredObject | null>;
  /** Whether exactly these bytes lie under the key: hashed where they lie, or read back. False where there is nothing. */
  holds(key: Key, bytes: { readonly size: number; readonly sha256: string }, options?: CallOptions): Promise<boolean>;
  /** Every object of ours under a prefix (`""`, `"<database dir>/"`, `"<database dir>/<backup id>/"`), sorted by key. */
  list(prefix: string, options?: CallOptions): AsyncIterable<StoredObject>;
  delete(key: Key, options?: CallOptions): Promise<void>;
  /** Removes what writers that died left under `prefix` and no listing shows (temporary files), older than `olderThanMs`. */
  sweep(prefix: string, olderThanMs: number, options?: CallOptions): Promise<number>;
  /** Free and total bytes, where the store reports them. */
  capacity(options?: CallOptions): Promise<{ free: number; total: number } | null>;
  close(): Promise<void>;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called with the number of bytes that moved since the last call. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

export interface GetOptions extends CallOptions {
  /** Bytes `start` to `end`, both included, as in HTTP. */
  readonly range?: { readonly start: number; readonly end: number } | undefined;
  /** For readers that are done with a chunk before they ask for the next: it may then be overwritten, which spares memory. */
  readonly reuseChunks?: boolean | undefined;
}

/** Bytes to be put. Size and hash are known beforehand; `open` may be called again for a retry. */
export interface Source {
  readonly size: number;
  /** Lower-case hex. */
  readonly sha256: string;
  /** A chunk is valid until the next one is asked for: a `put` that keeps it copies it. */
  open(signal?: AbortSignal): AsyncIterable<Uint8Array>;
}

export interface StoredObject {
  readonly key: Key;
  readonly size: number;
  readonly modifiedAt: Date;
  /** In listings, where the store knows classes. */
  readonly storageClass?: string | undefined;
  /** In listings, where the store gives its contents a tag: another one means that they were written again. */
  readonly etag?: string | undefined;
}
