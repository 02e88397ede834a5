import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Config, directoryOf, ensureFolder, findDatabase, sha256Hex, readdirOrEmpty } from "@trivault/core";
import { parseDatabaseUrl } from "@trivault/postgres";
import { inSite } from "./site-errors.ts";
import { type Lease, type LeaseWatch, tryAcquireLease, watchLease } from "./lease.ts";

/**
 * How many dumps run at a time: one of a database, so many of a server and of the site, by whichever process. Each holds lease
 * files (lease.ts), since all processes of a site share BACKUP_DIR and Redis may be wiped.
 *
 *     <BACKUP_DIR>/.trivault/dump-limit/database-<directory of the database>-0.lease
 *     <BACKUP_DIR>/.trivault/dump-limit/server-<hash of host:port>-<n>.lease
 *     <BACKUP_DIR>/.trivault/dump-limit/site-<n>.lease
 *
 * A slot that is lost (this process was stopped for long) is not asked back: the dump's own lease keeps it from completing
 * what somebody else has begun anew.
 */
export interface DumpSlots {
  /** Null where there is none to be had. Release what you get. */
  take(dump: DumpOf, signal: AbortSignal): Promise<DumpSlot | null>;
  /**
   * Which of these dumps, the most urgent first, could begin now. A slot whose owner died is free once that is sure, which
   * takes looking every second or so.
   */
  fitting<T extends DumpOf>(wanted: readonly T[]): Promise<T[]>;
}

export interface DumpOf {
  readonly database: string;
  /** `host:port`. */
  readonly server: string;
}

export interface DumpSlot {
  release(): Promise<void>;
}

const LOOK_MS = 250;

/** Lease files of which one is needed. */
interface Kind {
  readonly name: string;
  readonly count: number;
}

export function openDumpSlots(config: Pick<Config, "backupDir" | "limits" | "worker">): DumpSlots {
  const folder = path.join(config.backupDir, ".trivault/dump-limit");
  const takeoverMs = config.worker.takeoverSeconds * 1000;
  const watches = new Map<string, LeaseWatch>();
  const watchesOf = ({ name, count }: Kind): LeaseWatch[] =>
    Array.from({ length: count }, (_, number) => {
      const file = path.join(folder, `${name}-${number}.lease`);
      const watch = watches.get(file) ?? watchLease(file);
      watches.set(file, watch);
      return watch;
    });
  const kindsOf = ({ database, server }: DumpOf): Kind[] => [
    { name: `database-${directoryOf(database)}`, count: 1 },
    { name: `server-${sha256Hex(Buffer.from(server)).slice(0, 12)}`, count: config.limits.dumpsPerServer },
    { name: "site", count: config.limits.dumpsPerSite },
  ];
  const freeOf = async (kind: Kind, held: ReadonlySet<string>) => {
    const isFree = async (watch: LeaseWatch) =>
      !held.has(path.basename(watch.file)) || (await watch.silentMs()) >= takeoverMs;
    return (await Promise.all(watchesOf(kind).map(isFree))).filter(Boolean).length;
  };
  const takeOne = async (all: readonly LeaseWatch[], signal: AbortSignal): Promise<Lease | null> => {
    for (const watch of all) {
      const lease = await tryAcquireLease(watch, { takeoverMs, signal, onLost: () => undefined });
      if (lease) return lease;
    }
    return null;
  };
  const takeAll = async (dump: DumpOf, signal: AbortSignal): Promise<DumpSlot | null> => {
    await ensureFolder(folder);
    const held: Lease[] = [];
    const release = async () => void (await Promise.all(held.map((lease) => lease.release())));
    try {
      for (const kind of kindsOf(dump)) {
        const lease = await takeOne(watchesOf(kind), signal);
        if (lease) held.push(lease);
        else {
          await release();
          return null;
        }
      }
      return { release };
    } catch (error) {
      await release();
      throw error;
    }
  };
  return {
    take: (dump, signal) => inSite(config.backupDir, () => takeAll(dump, signal)),
    async fitting(wanted) {
      const held = new Set(await readdirOrEmpty(folder));
      const free = new Map<string, number>();
      const fit: (typeof wanted)[number][] = [];
      for (const dump of wanted) {
        const kinds = kindsOf(dump);
        for (const kind of kinds) if (!free.has(kind.name)) free.set(kind.name, await freeOf(kind, held));
        if (kinds.some(({ name }) => free.get(name) === 0)) continue;
        for (const { name } of kinds) free.set(name, (free.get(name) ?? 0) - 1);
        fit.push(dump);
      }
      return fit;
    },
  };
}

/** The server that a configured database is on; null where none of that name is configured. */
export function serverOf(config: Pick<Config, "databases" | "servers">, database: string): string | null {
  const found = findDatabase(config, database);
  if (!found) return null;
  const { host, port } = parseDatabaseUrl(found.url, found.urlSetting);
  return `${host}:${port}`;
}

/** For a process without a queue: waits for a slot, for as long as it takes, and does the work in it. */
export async function inDumpSlot<T>(
  config: Config,
  database: string,
  { signal, note }: { readonly signal: AbortSignal; readonly note: (line: string) => void },
  work: () => Promise<T>,
): Promise<T> {
  const server = serverOf(config, database);
  if (server === null) return work(); // it is not configured, as the work will say
  const slots = openDumpSlots(config);
  let slot = await slots.take({ database, server }, signal);
  if (!slot) note(waitsFor(server));
  while (!slot) {
    await sleep(LOOK_MS, undefined, { signal });
    slot = await slots.take({ database, server }, signal);
  }
  try {
    return await work();
  } finally {
    await slot.release();
  }
}

/** What to report about a dump that finds no slot. */
export function waitsFor(server: string): string {
  return `waits: this database is being dumped, or as many others on ${server} or at this site as are allowed`;
}
