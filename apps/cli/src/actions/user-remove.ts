import { removeUser } from "@trivault/access";
import { actor } from "../actor.ts";
import { readEnvironment } from "../environment.ts";
import { EXIT } from "../exit-codes.ts";
import { print, printJson } from "../output.ts";
import type { Running } from "../perform.ts";
import { withRecord } from "../record.ts";

export async function userRemove(name: string, { json }: Running): Promise<number> {
  const { config } = readEnvironment("read");
  await removeUser(config.api.accessFile, name);
  await withRecord(config, (record) =>
    record({ action: "access.user", outcome: "ok", actor: actor(), details: { change: "removed", user: name } }),
  );
  if (json) printJson({ name, removed: true });
  else print(`The user ${name} is removed; all their sessions have ended`);
  return EXIT.ok;
}
