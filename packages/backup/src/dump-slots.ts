import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Config, ensureFolder, findDatabase, sha256Hex } from "@trivault/core";
import { parseDatabaseUrl } from "@trivault/postgres";
import { type Lease, type LeaseWatch, tryAcquireLease, watchLease } from "./lease.ts";
import { readdirOrEmpty } from "./run-directory.ts";

/**
 * How many dumps run at a time, of one database server and of the site, by whichever process: each holds one of so many
 * lease files (lease.ts), since all processes of a site share BACKUP_DIR and Redis may be wiped.
 *
 *     <BACKUP_DIR>/.trivault/dump-limit/<hash of host:port>-<n>.lease
 *     <BACKUP_DIR>/.trivault/dump-limit/site-<n>.lease
 *
 * A slot that is lost (this process was stopped for long) is not asked back: the limit is a courtesy to the server, and the
 * dump's own lease is what keeps two from making the same backup.
 */
export interface DumpSlots {
  /** Null where all are taken. Release what you get. */
  take(server: string, signal: AbortSignal): Promise<DumpSlot | null>;
  /** How many could be taken now. Slots whose owner died count once that is sure, which takes looking every second or so. */
  free(server: string): Promise<number>;
}

export interface DumpSlot {
  release(): Promise<void>;
}

const LOOK_MS = 250;

export function openDumpSlots(config: Pick<Config, "backupDir" | "limits" | "worker">): DumpSlots {
  const folder = path.join(config.backupDir, ".trivault/dump-limit");
  const takeoverMs = config.worker.takeoverSeconds * 1000;
  const watches = new Map<string, LeaseWatch>();
  const watchesOf = (prefix: string, count: number): LeaseWatch[] =>
    Array.from({ length: count }, (_, number) => {
      const file = path.join(folder, `${prefix}-${number}.lease`);
      const watch = watches.get(file) ?? watchLease(file);
      watches.set(file, watch);
      return watch;
    });
  const ofServer = (server: string) =>
    watchesOf(sha256Hex(Buffer.from(server)).slice(0, 12), config.limits.dumpsPerServer);
  const ofSite = () => watchesOf("site", config.limits.dumpsPerSite);
  const freeOf = async (all: readonly LeaseWatch[], held: ReadonlySet<string>) => {
    const isFree = async (watch: LeaseWatch) =>
      !held.has(path.basename(watch.file)) || (await watch.silentMs()) >= takeoverMs;
    return (await Promise.all(all.map(isFree))).filter(Boolean).length;
  };
  const takeOne = async (all: readonly LeaseWatch[], signal: AbortSignal): Promise<Lease | null> => {
    for (const watch of all) {
      const lease = await tryAcquireLease(watch, { takeoverMs, signal, onLost: () => undefined });
      if (lease) return lease;
    }
    return null;
  };
  return {
    async take(server, signal) {
      await ensureFolder(folder);
      const slot = await takeOne(ofServer(server), signal);
      if (!slot) return null;
      const share = await takeOne(ofSite(), signal).catch(async (error: unknown) => {
        await slot.release();
        throw error;
      });
      if (share) return { release: async () => void (await Promise.all([slot.release(), share.release()])) };
      await slot.release();
      return null;
    },
    async free(server) {
      const held = new Set(await readdirOrEmpty(folder));
      return Math.min(await freeOf(ofServer(server), held), await freeOf(ofSite(), held));
    },
  };
}

/** The server that a configured database is on; null where none of that name is configured. */
export function serverOf(config: Pick<Config, "databases" | "servers">, database: string): string | null {
  const found = findDatabase(config, database);
  if (!found) return null;
  const { host, port } = parseDatabaseUrl(found.url);
  return `${host}:${port}`;
}

/** For a process without a queue: waits for a slot, for as long as it takes. */
export async function waitForDumpSlot(
  slots: DumpSlots,
  server: string,
  { signal, note }: { signal: AbortSignal; note: (line: string) => void },
): Promise<DumpSlot> {
  for (let look = 0; ; look++) {
    const slot = await slots.take(server, signal);
    if (slot) return slot;
    if (look === 0) note(`waiting: as many dumps as are allowed run on ${server}, or at this site`);
    await sleep(LOOK_MS, undefined, { signal });
  }
}
