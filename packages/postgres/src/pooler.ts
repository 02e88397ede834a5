import { LateError, within } from "@trivault/core";
import type { Client } from "pg";

/** A pooler that has no connection left for a second session of ours lets it wait: then the first has one of its own. */
const PATIENCE_MS = 5000;
/** In each a pooler of transactions may have given the connection to somebody else meanwhile. */
const LOOKS = 10;

/**
 * Whether sessions share the server's processes, as behind a pooler in transaction or statement mode. What a session sets stays
 * behind there, in connections that the application goes on to use: after pg_dump its search path would be empty.
 *
 * A server shows the process that serves a session twice, when it begins (BackendKeyData) and by pg_backend_pid(); where both are the
 * same there is no pooler, and nothing more is asked. Behind one, two sessions at a time have two processes only where each keeps its own.
 */
export async function sharesProcesses(
  client: Client,
  announced: number | null,
  { another, drop }: { readonly another: () => Promise<Client>; readonly drop: (client: Client) => void },
): Promise<boolean> {
  const own = await processOf(client);
  if (own === announced) return false;
  const other = await another().catch(() => null);
  if (other === null) return false; // that is for the application's sake: a backup is not refused on suspicion
  try {
    for (let look = 0; look < LOOKS; look++) {
      if ((await within(PATIENCE_MS, processOf(other))) === own || (await processOf(client)) !== own) return true;
    }
    return false;
  } catch (error) {
    if (error instanceof LateError) return false;
    throw error;
  } finally {
    // Without a good-bye: it may be waiting for its turn.
    drop(other);
  }
}

async function processOf(client: Client): Promise<number | undefined> {
  const { rows } = await client.query<{ pid: number }>("SELECT pg_catalog.pg_backend_pid() AS pid");
  return rows[0]?.pid;
}
