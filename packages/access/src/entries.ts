import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { TrivaultError } from "@trivault/core";
import {
  type AccessContent,
  changeAccessFile,
  NAME_FORM,
  type PasswordHash,
  readAccessFile,
  type TokenEntry,
  type UserEntry,
} from "./access-file.ts";
import { checkPassword, createPasswords, type Cost } from "./passwords.ts";
import { createSecondFactor, hashOfRecoveryCode, otpauthUrl, type SecondFactor } from "./second-factor.ts";
import type { Role } from "./types.ts";

/** Actors that are no named token. */
const RESERVED: ReadonlySet<string> = new Set(["default", "loopback", "none"]);

export interface NewToken {
  readonly name: string;
  readonly role: Role;
  readonly expiresAt: Date | null;
  /** The actor who makes it. */
  readonly createdBy: string;
}

/** Returns the token, which is kept as a hash only: it is never shown again. */
export async function createToken(
  file: string,
  { name, role, expiresAt, createdBy }: NewToken,
  now: Date,
): Promise<string> {
  checkName(name);
  if (RESERVED.has(name))
    throw invalid(`A token may not be called ${name}, which stands for something else in the audit log.`);
  if (expiresAt !== null && expiresAt <= now) throw invalid("The token would have expired before it is made.");
  const { token, entry } = tokenEntry({ name, role, expiresAt, createdBy }, now);
  await changeAccessFile(file, (before) => {
    if (has(before.tokens, name)) {
      throw exists(`There is a token ${name} already. Revoke it first, or choose another name.`);
    }
    return { ...before, tokens: [...before.tokens, entry] };
  });
  return token;
}

/** A new secret, and what the access file keeps of it. */
export function tokenEntry(
  { name, role, expiresAt, createdBy }: NewToken,
  now: Date,
): { token: string; entry: TokenEntry } {
  const token = `tv_${randomBytes(32).toString("base64url")}`;
  const hash = hashOfToken(token).toString("hex");
  const createdAt = now.toISOString();
  return { token, entry: { name, role, hash, createdAt, createdBy, expiresAt: expiresAt?.toISOString() ?? null } };
}

export async function revokeToken(file: string, name: string): Promise<void> {
  await changeExisting(file, (before) => {
    if (!has(before.tokens, name)) throw unknown("token", name, before.tokens);
    return { ...before, tokens: before.tokens.filter((each) => each.name !== name) };
  });
}

export interface NewUser {
  readonly name: string;
  readonly role: Role;
  readonly password: string;
  readonly createdBy: string;
}

/** What a new user has to be shown, once. */
export interface Enrolment {
  readonly otpauthUrl: string;
  readonly recoveryCodes: readonly string[];
}

export async function addUser(file: string, user: NewUser, now: Date, cost?: Cost): Promise<Enrolment> {
  checkName(user.name);
  checkPassword(user.password);
  const refuse = ({ users }: AccessContent) => {
    if (has(users, user.name)) {
      throw exists(`There is a user ${user.name} already. \`trivault user reset ${user.name}\` sets a new password.`);
    }
  };
  refuse((await readAccessFile(file)) ?? NOBODY); // before time goes into the password
  const { name, role, createdBy } = user;
  const factor = createSecondFactor();
  const entry = {
    name,
    role,
    createdAt: now.toISOString(),
    createdBy,
    ...(await secretsOf(user.password, factor, cost)),
  };
  await changeAccessFile(file, (before) => {
    refuse(before);
    return { ...before, users: [...before.users, entry] };
  });
  return enrolmentOf(name, factor);
}

/** A new password, second factor and recovery codes, and another role where one is given; all sessions end. */
export async function resetUser(
  file: string,
  { name, password, role }: { readonly name: string; readonly password: string; readonly role?: Role | undefined },
  cost?: Cost,
): Promise<Enrolment> {
  checkPassword(password);
  await expectUser(file, name);
  const factor = createSecondFactor();
  const secrets = await secretsOf(password, factor, cost);
  await changeExisting(file, (before) => {
    if (!has(before.users, name)) throw unknown("user", name, before.users);
    const change = (user: UserEntry) => (user.name === name ? { ...user, role: role ?? user.role, ...secrets } : user);
    return { ...before, users: before.users.map(change) };
  });
  return enrolmentOf(name, factor);
}

export async function removeUser(file: string, name: string): Promise<void> {
  await changeExisting(file, (before) => {
    if (!has(before.users, name)) throw unknown("user", name, before.users);
    return { ...before, users: before.users.filter((each) => each.name !== name) };
  });
}

/** Throws where there is no such user: before anybody is asked for a password. */
export async function expectUser(file: string, name: string): Promise<void> {
  const { users } = (await readAccessFile(file)) ?? NOBODY;
  if (!has(users, name)) throw unknown("user", name, users);
}

/** False where somebody else has used it since. */
export async function useRecoveryCode(file: string, name: string, code: string): Promise<boolean> {
  const hash = hashOfRecoveryCode(code);
  if (hash === null) return false;
  let used = false;
  await changeExisting(file, (before) => ({
    ...before,
    users: before.users.map((user) => {
      if (user.name !== name || !user.recoveryCodes.includes(hash)) return user;
      used = true;
      return { ...user, recoveryCodes: user.recoveryCodes.filter((each) => each !== hash) };
    }),
  }));
  return used;
}

/** All are compared, so that the time it takes reveals nothing. */
export function findToken({ tokens }: AccessContent, text: string): TokenEntry | null {
  const given = hashOfToken(text);
  let found: TokenEntry | null = null;
  for (const token of tokens) if (timingSafeEqual(Buffer.from(token.hash, "hex"), given)) found = token;
  return found;
}

const NOBODY: AccessContent = { version: 1, sessionKey: "", tokens: [], users: [] };

const hashOfToken = (text: string) => createHash("sha256").update(text).digest();
const has = (entries: readonly { readonly name: string }[], name: string) => entries.some((each) => each.name === name);
const invalid = (message: string) => new TrivaultError("INPUT_INVALID", message, { permanent: true });
const exists = (message: string) => new TrivaultError("EXISTS", message, { permanent: true });

function unknown(what: string, name: string, entries: readonly { readonly name: string }[]): TrivaultError {
  const there = entries.map((each) => each.name).join(", ") || "none";
  return new TrivaultError("NOT_FOUND", `There is no ${what} ${JSON.stringify(name)}; there is: ${there}.`, {
    permanent: true,
  });
}

function checkName(name: string): void {
  if (NAME_FORM.test(name)) return;
  throw invalid(
    `The name ${JSON.stringify(name)} cannot be used: it takes 1 to 63 small letters, digits, and . _ @ - (not at its beginning).`,
  );
}

/** As `changeAccessFile`, and makes no file where there was none. */
async function changeExisting(file: string, change: (before: AccessContent) => AccessContent): Promise<void> {
  if ((await readAccessFile(file)) === null) change(NOBODY);
  else await changeAccessFile(file, change);
}

async function secretsOf(
  password: string,
  { secret, recoveryCodes }: SecondFactor,
  cost?: Cost,
): Promise<{ password: PasswordHash; totpSecret: string; recoveryCodes: string[]; epoch: string }> {
  return {
    password: await createPasswords(cost).hash(password),
    totpSecret: secret,
    recoveryCodes: recoveryCodes.map(hashOfRecoveryCode).filter((hash) => hash !== null),
    epoch: randomBytes(12).toString("base64url"),
  };
}

function enrolmentOf(name: string, { secret, recoveryCodes }: SecondFactor): Enrolment {
  return { otpauthUrl: otpauthUrl(name, secret), recoveryCodes };
}
