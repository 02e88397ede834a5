import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";

/** Resolves when a server that was started prints a line with `sign`; rejects, with what it printed, where it ends before. */
export async function childReady(child: ChildProcess, name: string, sign: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const printed: string[] = [];
  child.once("error", (cause) => reject(new Error(`${name} cannot be started: is it installed?`, { cause })));
  child.once("close", (code) => reject(new Error(`${name} ended with ${code}:\n${printed.join("\n")}`)));
  // Read to the end, or the server would block on a full pipe.
  for (const output of [child.stdout, child.stderr]) {
    if (output === null) continue;
    createInterface({ input: output }).on("line", (line) => {
      if (printed.length < 50) printed.push(line);
      if (line.includes(sign)) resolve();
    });
  }
  await promise;
}
