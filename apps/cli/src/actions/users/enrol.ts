import { addUser, type Enrolment, expectUser, resetUser, type Role, SHORTEST_PASSWORD } from "@trivault/access";
import { TrivaultError } from "@trivault/core";
import { toString as qrCode } from "qrcode";
import { actor } from "../../actor.ts";
import { isInteractive, readSecret } from "../../ask.ts";
import { readEnvironment } from "../../environment.ts";
import { EXIT } from "../../exit-codes.ts";
import { printJson, printText, say } from "../../output.ts";
import type { Running } from "../../perform.ts";
import { withOwnRecord } from "../../record.ts";

export interface AddUserOptions {
  readonly name: string;
  readonly role: Role;
  readonly json?: boolean;
}

export interface ResetUserOptions {
  readonly role?: Role;
  readonly json?: boolean;
}

export async function userAdd({ name, role }: AddUserOptions, { signal, json }: Running): Promise<number> {
  const environment = readEnvironment("read");
  const password = await askForPassword(name, signal);
  const createdBy = actor();
  const details = { change: "added", user: name, role };
  const enrolment = await withOwnRecord(environment, signal, async (record) => {
    const { accessFile } = environment.config.api;
    const made = await addUser(accessFile, { name, role, password, createdBy }, new Date());
    await record({ action: "access.user", outcome: "ok", actor: createdBy, details });
    return made;
  });
  if (json) printJson({ name, role, ...enrolment });
  else await show(`The user ${name} is added, as ${role}.`, enrolment);
  return EXIT.ok;
}

export async function userReset(name: string, { role }: ResetUserOptions, { signal, json }: Running): Promise<number> {
  const environment = readEnvironment("read");
  const { accessFile } = environment.config.api;
  await expectUser(accessFile, name);
  const password = await askForPassword(name, signal);
  const details = { change: "reset", user: name, ...(role === undefined ? {} : { role }) };
  const enrolment = await withOwnRecord(environment, signal, async (record) => {
    const made = await resetUser(accessFile, { name, password, role });
    await record({ action: "access.user", outcome: "ok", actor: actor(), details });
    return made;
  });
  if (json) printJson({ name, ...enrolment });
  else await show(`The user ${name} has a new password and second factor; all their sessions have ended.`, enrolment);
  return EXIT.ok;
}

async function askForPassword(name: string, signal: AbortSignal): Promise<string> {
  const password = await readSecret(`Password of ${name} (at least ${SHORTEST_PASSWORD} characters): `, signal);
  if (!isInteractive()) return password;
  const again = await readSecret("The same again: ", signal);
  if (again === password) return password;
  throw new TrivaultError("INPUT_INVALID", "The two passwords differ; nothing was done.", { permanent: true });
}

async function show(done: string, { otpauthUrl, recoveryCodes }: Enrolment): Promise<void> {
  printText(`${done}

The second factor, for an authenticator app (any that does TOTP):
`);
  // Its colours are escape sequences, and it holds nothing of a stranger.
  if (process.stdout.isTTY) process.stdout.write(`${await qrCode(otpauthUrl, { type: "terminal", small: true })}\n`);
  printText(`  ${otpauthUrl}

Recovery codes, each good for one login without the app:

${recoveryCodes.map((code) => `  ${code}`).join("\n")}
`);
  say(
    "None of this is shown again. Hand it to whom it belongs by a safe way, and keep the codes apart from the phone.",
  );
}
