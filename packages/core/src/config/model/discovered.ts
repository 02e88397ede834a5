import { z } from "zod";

/**
 * `BACKUP_DIR/.trivault/discovered.json`: what each server, by its name, last said that it holds; patterns are not applied
 * yet, so that they may change. It is a cache: what is damaged counts as empty, and the next answer fills it again.
 */
const schema = z.object({ version: z.literal(1), servers: z.record(z.string(), z.array(z.string())) });

export type Discovered = Readonly<Record<string, readonly string[]>>;

export function parseDiscovered(text: string): Discovered {
  try {
    return schema.parse(JSON.parse(text)).servers;
  } catch {
    return {};
  }
}

export function formatDiscovered(servers: Discovered): string {
  return JSON.stringify({ version: 1, servers });
}
