import { revokeToken } from "@trivault/access";
import { actor } from "../../actor.ts";
import { readEnvironment } from "../../environment.ts";
import { EXIT } from "../../exit-codes.ts";
import { print, printJson } from "../../output.ts";
import type { Running } from "../../perform.ts";
import { withOwnRecord } from "../../record.ts";

export async function tokenRevoke(name: string, { json, signal }: Running): Promise<number> {
  const environment = readEnvironment("read");
  const details = { change: "revoked", token: name };
  await withOwnRecord(environment, signal, async (record) => {
    await revokeToken(environment.config.api.accessFile, name);
    await record({ action: "access.token", outcome: "ok", actor: actor(), details });
  });
  if (json) printJson({ name, revoked: true });
  else print(`The token ${name} is revoked; it opens nothing any more`);
  return EXIT.ok;
}
