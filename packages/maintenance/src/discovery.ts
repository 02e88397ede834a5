import { open, readFile, rename } from "node:fs/promises";
import path from "node:path";
import {
  type Config,
  codeOf,
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
  type ServerConfig,
} from "@trivault/core";
import { listDatabases, parseDatabaseUrl } from "@trivault/postgres";

export interface DiscoveryProblem {
  readonly server: string;
  readonly reason: string;
}

export interface KnownDatabases {
  /** Those configured, and those found on the configured servers. */
  readonly databases: readonly DatabaseConfig[];
  /** Servers that could not be asked; what is told of them is what was found last. */
  readonly problems: readonly DiscoveryProblem[];
}

/** A server is asked at most this often by one process. */
const ASK_EVERY_MS = 60_000;

type Found = { readonly names: readonly string[] } | { readonly reason: string };
const asked = new Map<string, { readonly at: number; readonly found: Promise<Found> }>();

/**
 * All databases that are to be backed up. What the servers answered is kept in `BACKUP_DIR/.trivault/discovered.json`, so
 * that a server that is down does not make its databases vanish. One that is also configured by its full name
 * (`<server>.<database>`) is as configured there. `fresh` asks every server now.
 */
export async function knownDatabases(config: Config, options: { fresh?: boolean } = {}): Promise<KnownDatabases> {
  if (config.servers.length === 0) return { databases: config.databases, problems: [] };
  const file = path.join(config.backupDir, ".trivault/discovered.json");
  const cached = await readCache(file);
  const current: Record<string, readonly string[]> = { ...cached };
  const problems: DiscoveryProblem[] = [];
  await Promise.all(
    config.servers.map(async (server) => {
      const found = await ask(server, options.fresh ?? false);
      if ("names" in found) current[server.name] = found.names;
      else problems.push({ server: server.name, reason: found.reason });
    }),
  );
  if (JSON.stringify(current) !== JSON.stringify(cached)) {
    await writeCache(file, current).catch((error: unknown) =>
      problems.push({
        server: config.servers[0]?.name ?? "",
        reason: `${file} cannot be written: ${messageOf(error)}`,
      }),
    );
  }
  const databases = [...config.databases];
  const taken = new Set(databases.map(({ name }) => name));
  for (const server of config.servers) {
    for (const name of current[server.name] ?? []) {
      if (!isDiscovered(server, name) || taken.has(discoveredName(server, name))) continue;
      const problem = unusable(discoveredName(server, name));
      if (problem === null) databases.push(discoveredDatabase(server, name));
      else problems.push({ server: server.name, reason: problem });
    }
  }
  return { databases, problems };
}

function ask(server: ServerConfig, fresh: boolean): Promise<Found> {
  const before = asked.get(server.url);
  const now = performance.now();
  if (before && !fresh && now - before.at < ASK_EVERY_MS) return before.found;
  const found = (async (): Promise<Found> => {
    try {
      return { names: await listDatabases(parseDatabaseUrl(server.url)) };
    } catch (error) {
      return { reason: messageOf(error) };
    }
  })();
  asked.set(server.url, { at: now, found });
  return found;
}

/** Names come from the server; one that no tier can hold is told, and the others are backed up. */
function unusable(name: string): string | null {
  try {
    directoryOf(name);
    return null;
  } catch (error) {
    return messageOf(error);
  }
}

async function readCache(file: string): Promise<Discovered> {
  try {
    return parseDiscovered(await readFile(file, "utf8"));
  } catch (error) {
    if (codeOf(error) === "ENOENT") return {};
    throw error;
  }
}

async function writeCache(file: string, servers: Discovered): Promise<void> {
  await ensureFolder(path.dirname(file));
  const temporary = `${file}.${process.pid}.tmp`;
  const handle = await open(temporary, "w", 0o600);
  try {
    await handle.writeFile(formatDiscovered(servers));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
}
