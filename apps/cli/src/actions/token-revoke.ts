import { revokeToken } from "@trivault/access";
import { actor } from "../actor.ts";
import { readEnvironment } from "../environment.ts";
import { EXIT } from "../exit-codes.ts";
import { print, printJson } from "../output.ts";
import type { Running } from "../perform.ts";
import { withRecord } from "../record.ts";

export async function tokenRevoke(name: string, { json }: Running): Promise<number> {
  const { config } = readEnvironment("read");
  await revokeToken(config.api.accessFile, name);
  await withRecord(config, (record) =>
    record({ action: "access.token", outcome: "ok", actor: actor(), details: { change: "revoked", token: name } }),
  );
  if (json) printJson({ name, revoked: true });
  else print(`The token ${name} is revoked; it opens nothing any more`);
  return EXIT.ok;
}
