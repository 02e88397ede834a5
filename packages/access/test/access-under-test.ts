import path from "node:path";
import { afterEach, beforeEach } from "@jest/globals";
import { type Logger, silentLogger } from "@trivault/core";
import { makeTempDir, type TempDir } from "@trivault/testkit";
import { generate } from "otplib";
import { type Access, openAccess } from "../src/access.ts";
import { addUser, createToken } from "../src/entries.ts";
import type { LoginResult } from "../src/login.ts";

/** Cheap, as hardly any test is about how long a guess takes. */
export const COST = { cost: 16, blockSize: 8, parallelization: 1 };
export const PASSWORD = "correct horse battery";
export const START = Date.parse("2026-11-23T02:00:00Z");
export const HOUR = 3600_000;

export type Attempt = Parameters<Access["login"]>[0];

/** An access file of its own for each test of a suite, with a clock that stands still until the test moves it. */
export function accessUnderTest() {
  let dir: TempDir;
  const state = { file: "", time: START, access: undefined as never as Access };
  const now = () => new Date(state.time);
  const login = (changes: Partial<Attempt>) =>
    state.access.login({ name: "alice", password: PASSWORD, code: null, ip: "192.0.2.1", device: null, ...changes });
  const site = Object.assign(state, {
    now,
    /** Anew, as after a restart. */
    open(log: Logger = silentLogger()) {
      state.access = openAccess({ file: state.file, log, now, cost: COST });
    },
    token: (name: string, options: { expiresAt?: Date } = {}) =>
      createToken(state.file, { name, role: "operator", createdBy: "user:t@h", expiresAt: null, ...options }, now()),
    user: async (name: string) => {
      const entry = { name, role: "admin", password: PASSWORD, createdBy: "user:t@h" } as const;
      const enrolment = await addUser(state.file, entry, now(), COST);
      return { ...enrolment, secret: new URL(enrolment.otpauthUrl).searchParams.get("secret") ?? "" };
    },
    codeAt: (secret: string, at: number = state.time): Promise<string> =>
      generate({ secret, epoch: Math.floor(at / 1000) }),
    attempt: (changes: Partial<Attempt> = {}) => login(changes),
    wrong: (changes: Partial<Attempt> = {}) => login({ password: "wrong", ...changes }),
  });
  beforeEach(async () => {
    dir = await makeTempDir("tv-access");
    site.file = path.join(dir.path, "deep/access.json");
    site.time = START;
    site.open();
  });
  afterEach(async () => {
    await site.access.close();
    await dir.remove();
  });
  return site;
}

export function expectOk(result: LoginResult | null) {
  if (result?.status !== "ok") throw new Error(`not let in: ${JSON.stringify(result)}`);
  return result;
}
