import { createToken, type Role } from "@trivault/access";
import { actor } from "../actor.ts";
import { readEnvironment } from "../environment.ts";
import { EXIT } from "../exit-codes.ts";
import { formatTime, print, printJson, say } from "../output.ts";
import type { Running } from "../perform.ts";
import { withRecord } from "../record.ts";

export interface CreateTokenOptions {
  readonly name: string;
  readonly role: Role;
  /** Seconds; null: never. */
  readonly expires: number | null;
  readonly json?: boolean;
}

export async function tokenCreate({ name, role, expires }: CreateTokenOptions, { json }: Running): Promise<number> {
  const { config } = readEnvironment("read");
  const now = new Date();
  const expiresAt = expires === null ? null : new Date(now.getTime() + expires * 1000);
  const createdBy = actor();
  const token = await createToken(config.api.accessFile, { name, role, expiresAt, createdBy }, now);
  const until = expiresAt?.toISOString() ?? null;
  await withRecord(config, (record) =>
    record({
      action: "access.token",
      outcome: "ok",
      actor: createdBy,
      details: { change: "created", token: name, role, expiresAt: until },
    }),
  );
  if (json) printJson({ name, role, expiresAt: until, token });
  else {
    print(token);
    const end = expiresAt === null ? "does not expire" : `is good until ${formatTime(expiresAt)}`;
    say(`This is the token ${name} (${role}); it ${end}. It is not shown again: only a hash of it is kept.`);
  }
  return EXIT.ok;
}
