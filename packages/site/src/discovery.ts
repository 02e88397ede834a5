import path from "node:path";
import {
  type Config,
  type DatabaseConfig,
  type Discovered,
  directoryOf,
  discoveredDatabase,
  discoveredName,
  ensureFolder,
  formatDiscovered,
  isDiscovered,
  messageOf,
  parseDiscovered,
  publishText,
  readOrNull,
  type ServerConfig,
} from "@trivault/core";
import type { listDatabases, ListedDatabase } from "@trivault/postgres";
import { type GoneDatabase, loadGone, noteGone } from "./gone.ts";
import { isNamed, loadRestored, type RestoredNote } from "./restored-names.ts";

export interface DiscoveryProblem {
  readonly server: string;
  readonly reason: string;
}

export interface KnownDatabases {
  /** Those configured, and those found on the configured servers. */
  readonly databases: readonly DatabaseConfig[];
  /** Servers that could not be asked; their databases are those found last. */
  readonly problems: readonly DiscoveryProblem[];
  /** The unreachable servers on which nothing was found before either. */
  readonly unknownServers: readonly string[];
  /** Discovered ones that their server holds no more. */
  readonly gone: readonly GoneDatabase[];
  /** Found, but left out, as Trivault itself restored into them; by the names that they would be backed up under. */
  readonly leftOut: readonly LeftOut[];
}

export interface LeftOut extends RestoredNote {
  readonly server: string;
  readonly database: string;
}

export interface DiscoveryOptions {
  /** Ask every server now. */
  readonly fresh?: boolean;
  readonly list?: typeof listDatabases;
  readonly now?: () => Date;
}

/** A server is asked at most this often by one process. */
const ASK_EVERY_MS = 60_000;

type Found = { readonly listed: readonly ListedDatabase[] } | { readonly reason: string };
interface Asked {
  readonly at: number;
  readonly found: Promise<Found>;
  /** What was found stands in the file, or something newer that another process found. */
  kept: boolean;
}
const asked = new Map<string, Asked>();

/**
 * All databases that are to be backed up. What the servers answered is kept in `BACKUP_DIR/.trivault/discovered.json`, so
 * that a server that is down does not make its databases vanish; whoever replaces what stands there notes what is gone
 * (gone.ts). One that is also configured by its full name (`<server>.<database>`) is as configured there.
 */
export async function knownDatabases(config: Config, options: DiscoveryOptions = {}): Promise<KnownDatabases> {
  const { databases: configured, servers } = config;
  if (servers.length === 0) {
    return { databases: configured, problems: [], unknownServers: [], gone: [], leftOut: [] };
  }
  const file = cacheFile(config);
  const cached = parseDiscovered((await readOrNull(file)) ?? "");
  const restored = await loadRestored(config);
  const current: Record<string, readonly string[]> = { ...cached };
  const problems: DiscoveryProblem[] = [];
  const leftOut: LeftOut[] = [];
  await Promise.all(
    servers.map(async (server) => {
      const answer = ask(config, server, options);
      const found = await answer.found;
      if ("reason" in found) {
        problems.push({ server: server.name, reason: found.reason });
        return;
      }
      const left = found.listed.flatMap((listed) => leaveOut(server, listed, restored));
      leftOut.push(...left);
      const names = found.listed.map(({ name }) => name).filter((name) => !left.some((each) => each.name === name));
      if (answer.kept && cached[server.name] !== undefined) return;
      answer.kept = true;
      current[server.name] = names;
    }),
  );
  if (JSON.stringify(current) !== JSON.stringify(cached)) {
    try {
      await noteVanished(config, cached, current, options);
      await ensureFolder(path.dirname(file));
      await publishText(file, formatDiscovered(current));
    } catch (error) {
      problems.push({ server: servers[0]?.name ?? "", reason: `${file} cannot be written: ${messageOf(error)}` });
    }
  }
  const databases = [...configured];
  const taken = new Set(databases.map(({ name }) => name));
  for (const server of servers) {
    for (const name of current[server.name] ?? []) {
      if (!isDiscovered(server, name) || taken.has(discoveredName(server, name))) continue;
      const problem = unusable(discoveredName(server, name));
      if (problem === null) databases.push(discoveredDatabase(server, name));
      else problems.push({ server: server.name, reason: problem });
    }
  }
  const unknownServers = servers.map(({ name }) => name).filter((name) => current[name] === undefined);
  return { databases, problems, unknownServers, gone: await goneNow(config, databases), leftOut };
}

function ask({ backupDir }: Config, server: ServerConfig, options: DiscoveryOptions): Asked {
  const { fresh = false } = options;
  const key = JSON.stringify([backupDir, server.name, server.url]);
  const before = asked.get(key);
  const now = performance.now();
  if (before && !fresh && now - before.at < ASK_EVERY_MS) return before;
  const found = (async (): Promise<Found> => {
    try {
      const postgres = await import("@trivault/postgres"); // loaded only where a server is asked
      const list = options.list ?? postgres.listDatabases;
      return { listed: await list(postgres.parseDatabaseUrl(server.url, server.urlSetting)) };
    } catch (error) {
      return { reason: messageOf(error) };
    }
  })();
  const asking = { at: now, found, kept: false };
  asked.set(key, asking);
  return asking;
}

function leaveOut(server: ServerConfig, { name, oid }: ListedDatabase, restored: readonly RestoredNote[]): LeftOut[] {
  const note = restored.find((each) => each.name === name && each.oid === oid);
  if (note === undefined || !isDiscovered(server, name) || isNamed(server, name)) return [];
  return [{ ...note, server: server.name, database: discoveredName(server, name) }];
}

async function noteVanished(
  config: Config,
  before: Discovered,
  current: Discovered,
  { now = () => new Date() }: DiscoveryOptions,
): Promise<void> {
  for (const server of config.servers) {
    const held = new Set(current[server.name]);
    for (const name of before[server.name] ?? []) {
      if (held.has(name) || !isDiscovered(server, name) || unusable(discoveredName(server, name)) !== null) continue;
      await noteGone(config, {
        name: discoveredName(server, name),
        server: server.name,
        since: now().toISOString(),
      });
    }
  }
}

/** Without those that are back, or that no pattern takes any more: then it was the configuration that left them out. */
async function goneNow(config: Config, databases: readonly DatabaseConfig[]): Promise<GoneDatabase[]> {
  const there = new Set(databases.map(({ name }) => name));
  return (await loadGone(config)).filter(({ name, server }) => {
    const found = config.servers.find((each) => each.name === server);
    return found !== undefined && !there.has(name) && isDiscovered(found, name.slice(server.length + 1));
  });
}

/** Whether some server was found to hold a database of that name, now or until it was gone. */
export async function wasDiscovered({ backupDir }: Pick<Config, "backupDir">, name: string): Promise<boolean> {
  const cached = parseDiscovered((await readOrNull(cacheFile({ backupDir }))) ?? "");
  if (Object.values(cached).some((names) => names.includes(name))) return true;
  return (await loadGone({ backupDir })).some((gone) => gone.name === `${gone.server}.${name}`);
}

function cacheFile({ backupDir }: Pick<Config, "backupDir">): string {
  return path.join(backupDir, ".trivault/discovered.json");
}

/** Names come from the server; one that no tier can hold is reported, and the others are backed up. */
function unusable(name: string): string | null {
  try {
    directoryOf(name);
    return null;
  } catch (error) {
    return messageOf(error);
  }
}
