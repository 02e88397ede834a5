import type { AccessContent, UserEntry } from "./access-file.ts";
import { useRecoveryCode } from "./entries.ts";
import { type Attempts, countFailure, isLocked, networkOf, takeBack } from "./lock-out.ts";
import type { Passwords } from "./passwords.ts";
import { stepOfCode } from "./second-factor.ts";
import { makeDevice, makeTicket, readDevice, readTicket, startSession } from "./sessions.ts";
import { mac } from "./signed.ts";
import type { AccessState, StateFile } from "./state-file.ts";
import type { Identity } from "./types.ts";

/** `user` is for the audit log, and not for the answer: null where there is no such user. */
export type LoginResult =
  | {
      readonly status: "ok";
      readonly identity: Identity;
      /** The cookies to be set. */
      readonly session: string;
      readonly device: string;
    }
  /** The password was right; `ticket` says so to `confirm`. */
  | { readonly status: "code-needed"; readonly ticket: string }
  | { readonly status: "refused"; readonly user: string | null }
  | { readonly status: "locked"; readonly until: Date; readonly user: string | null };

export interface Attempt {
  /** From where. */
  readonly ip: string;
  /** The cookie of a former login from there, if any. */
  readonly device: string | null;
}

export interface LoginDeps {
  readonly file: string;
  readonly content: AccessContent;
  readonly state: StateFile;
  readonly passwords: Passwords;
  readonly now: () => Date;
}

/** Takes as long, and answers the same, whether or not there is such a user. */
export async function login(
  deps: LoginDeps,
  attempt: Attempt & { readonly name: string; readonly password: string; readonly code: string | null },
): Promise<LoginResult> {
  const name = attempt.name.trim().toLowerCase().slice(0, 100);
  const user = deps.content.users.find((each) => each.name === name) ?? null;
  const counted = await count(deps, attempt, name);
  if (counted.locked !== null) return { status: "locked", until: counted.locked, user: user?.name ?? null };
  const right = await deps.passwords.matches(attempt.password, user?.password ?? null);
  if (!right || user === null) return refusal(counted, user);
  if (attempt.code !== null) return finish(deps, attempt, user, attempt.code, counted);
  // Taken back and not forgotten: a right password is no way to try codes for ever.
  await deps.state.update((state) => uncount(state, counted.keys));
  return { status: "code-needed", ticket: makeTicket(deps.content, user, deps.now().getTime()) };
}

/** The second step; null where the ticket is none, or too old. */
export async function confirm(
  deps: LoginDeps,
  attempt: Attempt & { readonly ticket: string; readonly code: string },
): Promise<LoginResult | null> {
  const user = readTicket(deps.content, attempt.ticket, deps.now().getTime());
  if (user === null) return null;
  const counted = await count(deps, attempt, user.name);
  if (counted.locked !== null) return { status: "locked", until: counted.locked, user: user.name };
  return finish(deps, attempt, user, attempt.code, counted);
}

async function finish(
  deps: LoginDeps,
  attempt: Attempt,
  user: UserEntry,
  code: string,
  counted: Counted,
): Promise<LoginResult> {
  if (!(await takeCode(deps, user, code))) return refusal(counted, user);
  const now = deps.now();
  await deps.state.update((state) => {
    for (const key of counted.keys) state.attempts.delete(key);
    state.logins.set(user.name, now.toISOString());
  });
  const known = attempt.device !== null && readDevice(deps.content, attempt.device, user.name) !== null;
  return {
    status: "ok",
    identity: { actor: `user:${user.name}`, role: user.role, via: "session" },
    session: startSession(deps.content, user, now.getTime()),
    device: known && attempt.device !== null ? attempt.device : makeDevice(deps.content, user),
  };
}

/** Each code once: the time step that was used is kept, and a recovery code is struck off. */
async function takeCode({ file, state, now }: LoginDeps, user: UserEntry, code: string): Promise<boolean> {
  const step = await stepOfCode(user.totpSecret, code, now());
  if (step === null) return useRecoveryCode(file, user.name, code);
  return state.update(({ steps }) => {
    // A new secret begins anew with the user's epoch.
    const key = `${user.name} ${user.epoch}`;
    if (step <= (steps.get(key) ?? -1)) return false;
    for (const each of steps.keys()) if (each.startsWith(`${user.name} `)) steps.delete(each);
    steps.set(key, step);
    return true;
  });
}

interface Counted {
  readonly keys: readonly string[];
  /** It may not even be looked at. */
  readonly locked: Date | null;
  /** Should it fail, the next one has to wait until then. */
  readonly lockedAfter: Date | null;
}

/**
 * Counted as a failure before it is looked at, so that a thousand at once are a thousand failures. While somebody is locked
 * out nothing is counted: else whoever goes on trying would lock them out for ever.
 */
async function count({ content, state, now }: LoginDeps, { ip, device }: Attempt, name: string): Promise<Counted> {
  const known = device === null ? null : readDevice(content, device, name);
  const key = (what: string) => mac(content.sessionKey, "attempts", what).toString("hex").slice(0, 32);
  const keys = known === null ? [key(`user ${name}`), key(`address ${networkOf(ip)}`)] : [key(`device ${known}`)];
  const time = now().getTime();
  return state.update(({ attempts }) => {
    const before = keys.map((each) => attempts.get(each));
    const locks = before.filter((each) => isLocked(each, time)).map((each) => each?.lockedUntil ?? 0);
    if (locks.length > 0) return { keys, locked: new Date(Math.max(...locks)), lockedAfter: null };
    const after = before.map((each) => countFailure(each, time));
    for (const [index, each] of keys.entries()) setOrDelete(attempts, each, after[index] ?? null);
    const until = Math.max(...after.map(({ lockedUntil }) => lockedUntil));
    return { keys, locked: null, lockedAfter: until === 0 ? null : new Date(until) };
  });
}

function uncount({ attempts }: AccessState, keys: readonly string[]): void {
  for (const key of keys) {
    const before = attempts.get(key);
    if (before !== undefined) setOrDelete(attempts, key, takeBack(before));
  }
}

function setOrDelete(attempts: Map<string, Attempts>, key: string, value: Attempts | null): void {
  if (value === null) attempts.delete(key);
  else attempts.set(key, value);
}

function refusal({ lockedAfter }: Counted, user: UserEntry | null): LoginResult {
  const name = user?.name ?? null;
  return lockedAfter === null
    ? { status: "refused", user: name }
    : { status: "locked", until: lockedAfter, user: name };
}
