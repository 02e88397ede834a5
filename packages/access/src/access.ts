import { randomBytes, timingSafeEqual } from "node:crypto";
import { background, type Logger, messageOf } from "@trivault/core";
import { type AccessContent, readAccessFile } from "./access-file.ts";
import { findToken } from "./entries.ts";
import { createFileView } from "./file-view.ts";
import { FIRST_TOKEN } from "./first-token.ts";
import { type Attempt, confirm, login, type LoginDeps, type LoginResult } from "./login.ts";
import { createPasswords, type Cost } from "./passwords.ts";
import { readSession, type Session } from "./sessions.ts";
import { mac } from "./signed.ts";
import { openStateFile, stateFileOf } from "./state-file.ts";
import type { Identity } from "./types.ts";

/** `first`: there are no users, and the token of the first start, which makes one (first-token.ts), is still good. */
export type Members = "empty" | "first" | "tokens" | "users" | "broken";

/** Who is let in by the access file, as it is at that moment. What is wrong with the file lets nobody in. */
export interface Access {
  /** `broken`: there is a file, and it cannot be believed. Only `empty` means that there is nobody. */
  members(): Promise<Members>;
  /** A named token; null where it is none, or has expired. */
  checkToken(text: string): Promise<Identity | null>;
  /** Without a code: the first step of two. */
  login(attempt: Attempt & { name: string; password: string; code: string | null }): Promise<LoginResult>;
  /** The second step; null where the first one was too long ago. */
  confirm(attempt: Attempt & { ticket: string; code: string }): Promise<LoginResult | null>;
  session(cookie: string): Promise<Session | null>;
  endSession(session: Session): Promise<void>;
  /** For what a page of `binding` (a session, an actor) sends. */
  csrfToken(binding: string): Promise<string>;
  checkCsrf(binding: string, token: string): Promise<boolean>;
  /** Writes what is still to be written. */
  close(): Promise<void>;
}

export interface AccessOptions {
  readonly file: string;
  readonly log: Logger;
  readonly now?: () => Date;
  /** Passwords of unknown users, which must cost as much as those of users. */
  readonly cost?: Cost;
}

const NOTE_USE_MS = 10 * 60_000;
/** Where there is no access file, and so no key that outlives this process. */
const PROCESS_KEY = randomBytes(32).toString("base64url");

export function openAccess({ file, log, now = () => new Date(), cost }: AccessOptions): Access {
  const passwords = createPasswords(cost);
  const state = openStateFile(stateFileOf(file), now, log);
  const view = createFileView(file, readAccessFile);
  const complain = createComplaint(log);
  const complainOfState = createComplaint(log);
  const noted = new Map<string, number>();
  let notes: Promise<unknown> = Promise.resolve();

  async function look(): Promise<AccessContent | "broken" | null> {
    try {
      const seen = await view();
      complain(null);
      return seen;
    } catch (error) {
      complain(messageOf(error));
      return "broken";
    }
  }

  async function content(): Promise<AccessContent | null> {
    const seen = await look();
    return seen === "broken" ? null : seen;
  }

  async function loginDeps(): Promise<LoginDeps> {
    const known = (await content()) ?? { version: 1, sessionKey: PROCESS_KEY, tokens: [], users: [] };
    return { file, content: known, state, passwords, now };
  }

  /** So that a token that nobody uses is found; not at each request, and nobody waits for it. */
  function noteUse(name: string): void {
    const time = now();
    if (time.getTime() - (noted.get(name) ?? 0) < NOTE_USE_MS) return;
    noted.set(name, time.getTime());
    notes = background(
      state
        .update(({ tokensUsed }) => void tokensUsed.set(name, time.toISOString()))
        .catch((error: unknown) => log.warn({ reason: messageOf(error) }, "when a token was used could not be noted")),
    );
  }

  async function csrfOf(binding: string): Promise<Buffer> {
    return mac((await content())?.sessionKey ?? PROCESS_KEY, "csrf", binding);
  }

  return {
    async members() {
      const seen = await look();
      if (seen === "broken") return "broken";
      if (seen === null) return "empty";
      if (seen.users.length > 0) return "users";
      if (seen.tokens.length === 0) return "empty";
      return seen.tokens.some(({ name }) => name === FIRST_TOKEN) ? "first" : "tokens";
    },
    async checkToken(text) {
      const known = await content();
      const token = known && findToken(known, text);
      if (!token || (token.expiresAt !== null && now().getTime() >= Date.parse(token.expiresAt))) return null;
      noteUse(token.name);
      return { actor: `token:${token.name}`, role: token.role, via: "token" };
    },
    login: async (attempt) => login(await loginDeps(), attempt),
    confirm: async (attempt) => confirm(await loginDeps(), attempt),
    async session(cookie) {
      const known = await content();
      const session = known && readSession(known, cookie, now().getTime());
      if (!session) return null;
      try {
        const { ended } = await state.read();
        complainOfState(null);
        return ended.has(session.id) ? null : session;
      } catch (error) {
        complainOfState(messageOf(error));
        return null;
      }
    },
    async endSession({ id, endsAt }) {
      await state.update(({ ended }) => void ended.set(id, endsAt));
    },
    csrfToken: async (binding) => (await csrfOf(binding)).toString("base64url"),
    async checkCsrf(binding, token) {
      const expected = await csrfOf(binding);
      const given = Buffer.from(token, "base64url");
      return given.length === expected.length && timingSafeEqual(given, expected);
    },
    async close() {
      await notes;
    },
  };
}

/** Logs what is wrong once, and not at each request; null says that it is right again. */
function createComplaint(log: Logger): (problem: string | null) => void {
  let logged: string | null = null;
  return (problem) => {
    if (problem !== null && problem !== logged) log.error(problem);
    logged = problem;
  };
}
