import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { background, codeOf } from "@trivault/core";
import type { Chain } from "./chain.ts";

/** Hands bytes over at the pace of the programs. Whichever ends first with an error ends the other. */
export async function feed(chain: Chain, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  const stdin = chain.children[0]?.process.stdin as Writable;
  const feeding = background(pipeline(Readable.from(bytes, { objectMode: true, highWaterMark: 1 }), stdin));
  try {
    await feeding;
  } catch (error) {
    // The programs closed their input: they say why. Anything else is the source's own failure.
    if (!isClosedInput(error)) {
      await chain.kill();
      throw error;
    }
  }
  await chain.done;
}

function isClosedInput(error: unknown): boolean {
  return ["EPIPE", "ECONNRESET", "ERR_STREAM_PREMATURE_CLOSE", "ERR_STREAM_DESTROYED"].includes(codeOf(error) ?? "");
}
