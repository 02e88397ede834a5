import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { newBackupId, TrivaultError } from "@trivault/core";
import type { Redis } from "ioredis";
import { z } from "zod";
import { KEY_PREFIX } from "./queues.ts";

/** A key is remembered for so long. */
const REMEMBER_SECONDS = 24 * 3600;
/** A request that is still being served; after this its server counts as dead, and the next one goes on in its place. */
const SERVED_MS = 30_000;
/** Who asks while the first request is being served waits for its answer so long. */
const WAIT_MS = 3000;
const LOOK_EVERY_MS = 50;

const claimSchema = z.object({
  /** What was asked for with this key. */
  fingerprint: z.string(),
  /** Given to the work: ids made of it are the same each time, so that what was enqueued already is not enqueued again. */
  seed: z.string(),
  at: z.number(),
  answer: z.unknown().optional(),
});
type Claim = z.infer<typeof claimSchema>;

export interface Request {
  /** Who asks for what kind of thing: keys of one scope do not meet those of another. */
  readonly scope: string;
  /** As the caller chose it; none means that each request is a new one. */
  readonly key: string | undefined;
  /** All that makes two requests the same one; JSON. */
  readonly content: unknown;
}

export interface Answered<T> {
  readonly answer: T;
  /** False where an earlier request with the same key was answered so. */
  readonly first: boolean;
}

/**
 * Does a thing once for each key, and answers those who ask again as the first one. The key lies in Redis, so it outlives a
 * restart of whoever serves it. Throws KEY_REUSED where the key came with another request, or while that one is being served.
 * Work that fails leaves no trace of its key.
 */
export async function once<T>(
  redis: Redis,
  request: Request,
  work: (seed: string) => Promise<T>,
): Promise<Answered<T>> {
  const seed = newBackupId();
  if (request.key === undefined) return { answer: await work(seed), first: true };
  const name = `${KEY_PREFIX}:idempotency:${digest([request.scope, request.key])}`;
  const fingerprint = digest(request.content);
  for (const end = performance.now() + WAIT_MS; ; await sleep(LOOK_EVERY_MS)) {
    const mine: Claim = { fingerprint, seed, at: Date.now() };
    const earlier = await claim(redis, name, mine);
    if (earlier === null) return { answer: await carryOut(redis, name, mine, work), first: true };
    if (earlier.fingerprint !== fingerprint) throw reused();
    // What was answered once came out of `work`.
    if (earlier.answer !== undefined) return { answer: earlier.answer as T, first: false };
    if (Math.abs(Date.now() - earlier.at) > SERVED_MS) {
      return { answer: await carryOut(redis, name, { ...earlier, at: Date.now() }, work), first: false };
    }
    if (performance.now() > end) throw beingServed();
  }
}

/** Null where the key was free, and is ours now. */
async function claim(redis: Redis, name: string, mine: Claim): Promise<Claim | null> {
  const free = (await redis.set(name, JSON.stringify(mine), "EX", REMEMBER_SECONDS, "NX")) !== null;
  const stored = free ? null : await redis.get(name);
  if (stored === null) return null;
  try {
    return claimSchema.parse(JSON.parse(stored));
  } catch {
    return null; // not ours; it is replaced
  }
}

async function carryOut<T>(redis: Redis, name: string, mine: Claim, work: (seed: string) => Promise<T>): Promise<T> {
  await redis.set(name, JSON.stringify(mine), "EX", REMEMBER_SECONDS);
  let answer: T;
  try {
    answer = await work(mine.seed);
  } catch (error) {
    await redis.del(name).catch(() => undefined);
    throw error;
  }
  // Where this cannot be kept, whoever asks again later goes on with the same seed.
  await redis.set(name, JSON.stringify({ ...mine, answer }), "EX", REMEMBER_SECONDS).catch(() => undefined);
  return answer;
}

function digest(value: unknown): string {
  return createHash("sha256")
    .update(JSON.stringify(value ?? null))
    .digest("hex");
}

function reused(): TrivaultError {
  return new TrivaultError(
    "KEY_REUSED",
    "This Idempotency-Key came with another request before. Use a new key for each thing that you ask for, and the same one only to ask for the very same again.",
    { permanent: true },
  );
}

function beingServed(): TrivaultError {
  return new TrivaultError(
    "EXISTS",
    "The first request with this Idempotency-Key is still being served; ask again soon.",
  );
}
