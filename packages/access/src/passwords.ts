import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { TrivaultError } from "@trivault/core";
import type { PasswordHash } from "./access-file.ts";

/** scrypt's parameters. */
export type Cost = Pick<PasswordHash, "cost" | "blockSize" | "parallelization">;

/**
 * One of OWASP's equal choices. This is the one with 32 MiB (2^17 with p=1 takes 128): the API may share a small
 * container with workers, and lives under a budget of 250 MiB.
 */
export const DEFAULT_COST: Cost = { cost: 2 ** 15, blockSize: 8, parallelization: 3 };
export const SHORTEST_PASSWORD = 12;
const LONGEST_PASSWORD = 1000;
/** Logins that wait for their turn; with more, somebody is trying something. */
const MOST_WAITING = 32;

export interface Passwords {
  hash(password: string): Promise<PasswordHash>;
  /** With null for a user who does not exist, it takes as long and answers false. */
  matches(password: string, hash: PasswordHash | null): Promise<boolean>;
}

/** One is computed at a time, so that no number of logins takes more memory than one. */
export function createPasswords(cost: Cost = DEFAULT_COST): Passwords {
  const nobody: PasswordHash = { ...cost, salt: randomText(16), hash: randomText(32) };
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;

  async function compute(password: string, { salt, ...parameters }: Cost & { salt: string }): Promise<Buffer> {
    if (waiting >= MOST_WAITING) {
      throw new TrivaultError("CANCELLED", "Too many logins are being checked at this moment. Try again in a minute.");
    }
    waiting++;
    const turn = last.then(() => derive(password, Buffer.from(salt, "base64url"), parameters));
    last = turn.catch(() => undefined).finally(() => waiting--);
    return turn;
  }

  return {
    async hash(password) {
      const salt = randomText(16);
      const { cost: n, blockSize, parallelization } = cost;
      const hash = await compute(password, { cost: n, blockSize, parallelization, salt });
      return { cost: n, blockSize, parallelization, salt, hash: hash.toString("base64url") };
    },
    async matches(password, known) {
      const { hash, ...parameters } = known ?? nobody;
      const computed = await compute(password.slice(0, LONGEST_PASSWORD), parameters);
      return timingSafeEqual(computed, Buffer.from(hash, "base64url")) && known !== null;
    },
  };
}

/** Throws where it would not do. */
export function checkPassword(password: string): void {
  const problem =
    password.length < SHORTEST_PASSWORD
      ? `is too short: it takes at least ${SHORTEST_PASSWORD} characters`
      : password.length > LONGEST_PASSWORD
        ? `is too long: it takes at most ${LONGEST_PASSWORD} characters`
        : new Set(password).size < 4
          ? "is too simple: it repeats a few characters"
          : null;
  if (problem === null) return;
  throw new TrivaultError(
    "INPUT_INVALID",
    `The password ${problem}. Four or five words by chance are easy to remember and hard to guess.`,
    { permanent: true },
  );
}

function derive(password: string, salt: Buffer, { cost, blockSize, parallelization }: Cost): Promise<Buffer> {
  // What scrypt needs is 128·N·r; Node refuses from 32 MiB on unless `maxmem` allows it.
  const maxmem = 128 * blockSize * (cost + parallelization + 2) + 1024 * 1024;
  return new Promise((resolve, reject) => {
    scrypt(password.normalize("NFKC"), salt, 32, { cost, blockSize, parallelization, maxmem }, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}

function randomText(bytes: number): string {
  return randomBytes(bytes).toString("base64url");
}
