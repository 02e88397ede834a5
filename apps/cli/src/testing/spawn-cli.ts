import { type Call, callCli } from "./call-cli.ts";
import type { Ended } from "./ended.ts";
import { printed, type startCli } from "./start-cli.ts";

export type { Ended } from "./ended.ts";
export * from "./start-cli.ts";

/** One command, within this process: see callCli. What is about signals needs a process of its own: startCli. */
export async function runCli(
  args: readonly string[],
  options: Parameters<typeof startCli>[1] & Pick<Call, "logs">,
): Promise<Ended> {
  const ended = await callCli(args, options);
  printed.push(ended.stdout, ended.stderr);
  return ended;
}
