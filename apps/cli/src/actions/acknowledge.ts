import { acknowledgeGone } from "@trivault/maintenance";
import { actor } from "../actor.ts";
import { readEnvironment } from "../environment.ts";
import { EXIT } from "../exit-codes.ts";
import { print, printJson } from "../output.ts";
import type { Running } from "../perform.ts";
import { withRecord } from "../record.ts";

export interface AcknowledgeOptions {
  readonly database: string;
  readonly reason?: string;
  readonly json?: boolean;
}

export async function acknowledge({ database, reason }: AcknowledgeOptions, { json }: Running): Promise<number> {
  const { config } = readEnvironment("read");
  const mark = await withRecord(config, (record) =>
    acknowledgeGone({ config, record, now: () => new Date() }, database, { actor: actor(), reason: reason ?? null }),
  );
  if (json) printJson({ database, ...mark });
  else
    print(`It is noted that ${database} is gone. Its backups stay until they are discarded (npm run backup:discard).`);
  return EXIT.ok;
}
