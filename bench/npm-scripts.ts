import { readFileSync } from "node:fs";
import path from "node:path";

const ROOT = path.dirname(import.meta.dirname);

/** What Node is called with by an npm script of ours, such as `worker`: the bench starts things as an operator does. */
export function argumentsOf(script: string): string[] {
  const { scripts } = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  const [, args] = /^(?:exec )?node (.+)$/.exec(scripts[script] ?? "") ?? [];
  if (args === undefined) throw new Error(`package.json has no script ${script} that runs node`);
  // npm runs it in the root of the project; the bench runs it elsewhere.
  return args.split(" ").map((arg) => (/\.[jt]s$/.test(arg) ? path.join(ROOT, arg) : arg));
}
