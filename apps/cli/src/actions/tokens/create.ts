import { createToken, type Role } from "@trivault/access";
import { actor } from "../../actor.ts";
import { readEnvironment } from "../../environment.ts";
import { EXIT } from "../../exit-codes.ts";
import { formatTime, print, printJson, say } from "../../output.ts";
import type { Running } from "../../perform.ts";
import { withOwnRecord } from "../../record.ts";

export interface CreateTokenOptions {
  readonly name: string;
  readonly role: Role;
  /** Seconds; null: never. */
  readonly expires: number | null;
  readonly json?: boolean;
}

export async function tokenCreate(
  { name, role, expires }: CreateTokenOptions,
  { json, signal }: Running,
): Promise<number> {
  const environment = readEnvironment("read");
  const { config } = environment;
  const now = new Date();
  const expiresAt = expires === null ? null : new Date(now.getTime() + expires * 1000);
  const createdBy = actor();
  const until = expiresAt?.toISOString() ?? null;
  const details = { change: "created", token: name, role, expiresAt: until };
  const token = await withOwnRecord(environment, signal, async (record) => {
    const made = await createToken(config.api.accessFile, { name, role, expiresAt, createdBy }, now);
    await record({ action: "access.token", outcome: "ok", actor: createdBy, details });
    return made;
  });
  if (json) printJson({ name, role, expiresAt: until, token });
  else {
    print(token);
    const end = expiresAt === null ? "does not expire" : `is good until ${formatTime(expiresAt)}`;
    say(`This is the token ${name} (${role}); it ${end}. It is not shown again: only a hash of it is kept.`);
  }
  return EXIT.ok;
}
