import { type Config, DAY_MS } from "@trivault/core";
import {
  type DiscoveryOptions,
  forgetGone,
  forgetRestored,
  type GoneDatabase,
  type KnownDatabases,
  knownDatabases,
  loadGone,
  loadRestored,
  noteGone,
  noteRecorded,
} from "@trivault/site";
import type { MaintenanceSite } from "../maintenance-site.ts";
import { missing } from "./missing.ts";
import { readInventories } from "../inventory/cache.ts";

/** A restored database that was not seen for so long is gone, and its note with it. */
const FORGET_MS = 30 * DAY_MS;

/**
 * Records which discovered databases are gone from their servers, and which are back. One whose backups lie on a tier, and
 * of which nobody noted that it went (the notes were lost, or are younger than it), is noted now.
 */
export async function keepDiscovery(
  site: Pick<MaintenanceSite, "config" | "record" | "now">,
  options: DiscoveryOptions = {},
): Promise<void> {
  const { config } = site;
  if (config.servers.length === 0) return;
  const known = await knownDatabases(config, { now: site.now, ...options });
  const noted = await loadGone(config);
  const there = new Set(known.databases.map(({ name }) => name));
  for (const gone of noted) if (there.has(gone.name)) await recordReturn(site, gone);
  const names = new Set(noted.map(({ name }) => name));
  for (const name of missing(config, known, await heldDatabases(config))) {
    if (names.has(name)) continue;
    const server = config.servers.find((each) => name.startsWith(`${each.name}.`))?.name ?? "";
    await noteGone(config, { name, server, since: site.now().toISOString() });
  }
  // As they are now: somebody may have acknowledged one meanwhile.
  for (const gone of await loadGone(config)) {
    if (gone.recorded || there.has(gone.name)) continue;
    await recordGone(site, gone);
  }
  await forgetOldRestores(site, known);
}

async function heldDatabases(config: Config): Promise<Set<string>> {
  const inventories = await readInventories(config);
  return new Set(inventories.flatMap(({ copies }) => copies.map(({ database }) => database)));
}

async function recordGone({ config, record }: Pick<MaintenanceSite, "config" | "record">, gone: GoneDatabase) {
  const { name, server, since } = gone;
  const details = { server, since };
  await record({ action: "database.vanished", outcome: "failed", actor: "maintenance", database: name, details });
  await noteRecorded(config, gone);
}

async function recordReturn({ config, record }: Pick<MaintenanceSite, "config" | "record">, gone: GoneDatabase) {
  const { name, server, since, recorded } = gone;
  if (recorded) {
    const details = { server, since };
    await record({ action: "database.returned", outcome: "ok", actor: "maintenance", database: name, details });
  }
  await forgetGone(config, name);
}

async function forgetOldRestores(
  { config, now }: Pick<MaintenanceSite, "config" | "now">,
  { leftOut, problems }: KnownDatabases,
): Promise<void> {
  if (problems.length > 0) return;
  for (const note of await loadRestored(config)) {
    const isThere = leftOut.some(({ name, oid }) => name === note.name && oid === note.oid);
    if (!isThere && now().getTime() - Date.parse(note.at) > FORGET_MS) await forgetRestored(config, note);
  }
}
