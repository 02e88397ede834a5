import { removeUser } from "@trivault/access";
import { actor } from "../../actor.ts";
import { readEnvironment } from "../../environment.ts";
import { EXIT } from "../../exit-codes.ts";
import { print, printJson } from "../../output.ts";
import type { Running } from "../../perform.ts";
import { withOwnRecord } from "../../record.ts";

export async function userRemove(name: string, { json, signal }: Running): Promise<number> {
  const environment = readEnvironment("read");
  const details = { change: "removed", user: name };
  await withOwnRecord(environment, signal, async (record) => {
    await removeUser(environment.config.api.accessFile, name);
    await record({ action: "access.user", outcome: "ok", actor: actor(), details });
  });
  if (json) printJson({ name, removed: true });
  else print(`The user ${name} is removed; all their sessions have ended`);
  return EXIT.ok;
}
