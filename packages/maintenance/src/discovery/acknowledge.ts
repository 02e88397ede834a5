import type { Recorder } from "@trivault/audit";
import { type Config, TrivaultError } from "@trivault/core";
import {
  type Acknowledgement,
  type DiscoveryOptions,
  knownDatabases,
  noteGone,
  writeAcknowledgement,
} from "@trivault/site";
import { readInventories } from "../inventory/cache.ts";
import { missing } from "./missing.ts";

interface AcknowledgeSite {
  readonly config: Config;
  readonly record: Recorder;
  readonly now: () => Date;
}

/** Takes note that a discovered database is gone, and records who did: nobody is alerted from then on. Throws NOT_FOUND. */
export async function acknowledgeGone(
  site: AcknowledgeSite,
  database: string,
  { actor, reason = null }: { readonly actor: string; readonly reason?: string | null },
  options: DiscoveryOptions = {},
): Promise<Acknowledgement> {
  const { config, record } = site;
  const known = await knownDatabases(config, { now: site.now, ...options });
  const at = site.now().toISOString();
  if (!known.gone.some(({ name }) => name === database)) await noteIfMissing(site, known, database);
  const mark = { by: actor, at, reason };
  await writeAcknowledgement(config, database, mark);
  const details = reason === null ? {} : { reason };
  await record({ action: "database.acknowledged", outcome: "ok", actor, database, details });
  return mark;
}

/** One that maintenance has not come to yet. */
async function noteIfMissing(
  { config, now }: AcknowledgeSite,
  known: Awaited<ReturnType<typeof knownDatabases>>,
  database: string,
): Promise<void> {
  const held = (await readInventories(config)).some(({ copies }) => copies.some((copy) => copy.database === database));
  const server = config.servers.find(({ name }) => database.startsWith(`${name}.`));
  if (!held || server === undefined || missing(config, known, [database]).length === 0) {
    const there = known.gone.map(({ name }) => name).join(", ");
    const hint = there === "" ? "No database is gone." : `Those that are: ${there}.`;
    throw new TrivaultError("NOT_FOUND", `${JSON.stringify(database)} is not a database that is gone. ${hint}`, {
      permanent: true,
    });
  }
  await noteGone(config, { name: database, server: server.name, since: now().toISOString() });
}
