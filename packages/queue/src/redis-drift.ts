import { within } from "@trivault/core";
import type { Redis } from "ioredis";

const ASK_EVERY_MS = 60_000;
const ANSWER_MS = 5000;
/** An answer that took longer says little of when it was given. */
const SURE_MS = 2000;
/** What was known longer ago is known no more. */
const FORGET_MS = 5 * 60_000;

/**
 * By how many seconds this machine's clock is ahead of Redis's; null where that is not known. Answers at once, by what Redis
 * said last, and asks it at most once a minute.
 */
export function redisDrift(redis: Pick<Redis, "time">): () => number | null {
  let askedAt = -Infinity;
  let known: { readonly seconds: number; readonly at: number } | null = null;
  const ask = async () => {
    const before = Date.now();
    const begun = performance.now();
    const [seconds, micros] = await within(ANSWER_MS, redis.time());
    const took = performance.now() - begun;
    if (took > SURE_MS) return;
    const theirs = Number(seconds) + Number(micros) / 1e6;
    known = { seconds: Math.round(before + took / 2 - theirs * 1000) / 1000, at: performance.now() };
  };
  return () => {
    const now = performance.now();
    if (now - askedAt >= ASK_EVERY_MS) {
      askedAt = now;
      ask().catch(() => undefined); // asked again in a minute
    }
    return known !== null && now - known.at < FORGET_MS ? known.seconds : null;
  };
}
