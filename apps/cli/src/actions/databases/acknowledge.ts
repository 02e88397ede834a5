import { acknowledgeGone } from "@trivault/maintenance";
import { actor } from "../../actor.ts";
import { readEnvironment } from "../../environment.ts";
import { EXIT } from "../../exit-codes.ts";
import { print, printJson } from "../../output.ts";
import type { Running } from "../../perform.ts";
import { withOwnRecord } from "../../record.ts";

export interface AcknowledgeOptions {
  readonly database: string;
  readonly reason?: string;
  readonly json?: boolean;
}

export async function acknowledge(
  { database, reason }: AcknowledgeOptions,
  { json, signal }: Running,
): Promise<number> {
  const environment = readEnvironment("read");
  const { config } = environment;
  const mark = await withOwnRecord(environment, signal, (record) =>
    acknowledgeGone({ config, record, now: () => new Date() }, database, { actor: actor(), reason: reason ?? null }),
  );
  if (json) printJson({ database, ...mark });
  else
    print(`It is noted that ${database} is gone. Its backups stay until they are discarded (npm run backup:discard).`);
  return EXIT.ok;
}
