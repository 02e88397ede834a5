import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { background } from "@trivault/core";
import type { Chain } from "./chain.ts";

const DONE = { done: true, value: undefined } as const;

/**
 * Hands bytes over at the pace of the programs. Whichever ends first with an error ends the other. Where the bytes could not be
 * had, that is what is thrown. Where they could not be handed over, the programs have closed their input, and they say why:
 * what the writing itself fails with depends on the moment (EPIPE, ECONNRESET, ECANCELED, …), and says nothing.
 */
export async function feed(
  chain: Pick<Chain, "children" | "done" | "kill">,
  bytes: AsyncIterable<Uint8Array>,
): Promise<void> {
  const stdin = chain.children[0]?.process.stdin as Writable;
  let failure: { readonly error: unknown } | null = null;
  const source = bytes[Symbol.asyncIterator]();
  const next = async () => {
    try {
      return await source.next();
    } catch (error) {
      failure = { error };
      throw error;
    }
  };
  // Without `throw`: what the writing fails with is not to come back out of the source.
  const watched = { [Symbol.asyncIterator]: () => ({ next, return: async () => (await source.return?.()) ?? DONE }) };
  const feeding = background(pipeline(Readable.from(watched, { objectMode: true, highWaterMark: 1 }), stdin));
  await feeding.catch(async () => {
    if (failure === null) return;
    await chain.kill();
    throw failure.error;
  });
  await chain.done;
}
