import { findReaper } from "@trivault/core";
import { pipeline } from "node:stream/promises";
import { Readable } from "node:stream";
import { type Command, type Outcome, startChild } from "./child.ts";

/** For outputs that are small by nature; one that is not ends the program rather than fill our memory. */
const MAX_OUTPUT = 64 * 1024 * 1024;

/** Runs a program to its end, with `input` on its stdin. The caller judges the outcome. */
export async function runTool(command: Command, input?: Uint8Array): Promise<{ outcome: Outcome; stdout: Buffer }> {
  const child = startChild(command, input ? "pipe" : "ignore", "pipe", await findReaper());
  const chunks: Buffer[] = [];
  let size = 0;
  child.process.stdout?.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size > MAX_OUTPUT) child.kill();
  });
  if (input && child.process.stdin) {
    // A program that ends before it has read all (EPIPE) tells more by its status and its stderr.
    await pipeline(Readable.from([input]), child.process.stdin).catch(() => {});
  }
  return { outcome: await child.outcome, stdout: Buffer.concat(chunks) };
}
