import { createInterface } from "node:readline/promises";
import { addAbortSignal, Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { TrivaultError, visibleText } from "@trivault/core/basics";

/** A person who can be asked sits at both ends. */
export function isInteractive(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY;
}

export async function ask(question: string, signal: AbortSignal): Promise<string> {
  return prompt(visibleText(question), process.stderr, signal);
}

/** One line from stdin: asked for without echo on a terminal, else the whole of what is piped in. */
export async function readSecret(question: string, signal: AbortSignal): Promise<string> {
  if (process.stdin.isTTY) {
    process.stderr.write(visibleText(question));
    const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
    const answer = await prompt("", nowhere, signal);
    process.stderr.write("\n");
    return answer;
  }
  return (await text(addAbortSignal(signal, process.stdin))).trim();
}

async function prompt(question: string, output: NodeJS.WritableStream, signal: AbortSignal): Promise<string> {
  const reader = createInterface({ input: process.stdin, output, terminal: true });
  // In raw mode Ctrl-C and Ctrl-D are keys: hand the first on as the signal that it stands for.
  reader.on("SIGINT", () => process.kill(process.pid, "SIGINT"));
  const closed = new AbortController();
  reader.once("close", () => closed.abort(new TrivaultError("CANCELLED", "No answer was given; nothing was done.")));
  try {
    return (await reader.question(question, { signal: AbortSignal.any([signal, closed.signal]) })).trim();
  } catch (error) {
    throw signal.reason ?? closed.signal.reason ?? error;
  } finally {
    reader.close();
  }
}
