import { TrivaultError } from "../../errors.ts";

export interface Problem {
  /** An environment variable, or a path in the configuration file such as `databases.shop.schedule`. */
  readonly variable: string;
  readonly message: string;
}

/** All that is wrong with the environment and the configuration file, at once. */
export class ConfigError extends TrivaultError {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[], file: string | null = null) {
    const lines = problems.map((problem) => `  ${problem.variable} ${problem.message}`);
    const where = file === null ? "" : ` (file ${file})`;
    super("CONFIG_INVALID", `The configuration cannot be used${where}:\n${lines.join("\n")}`, { permanent: true });
    this.problems = problems;
  }
}

/** What was probably meant: the name that takes the fewest changes of one letter, if those are few. */
export function nearest(typed: string, names: readonly string[]): string | null {
  let best: string | null = null;
  let least = (typed.length < 4 ? 1 : Math.max(2, Math.floor(typed.length / 4))) + 1;
  for (const name of names) {
    const changes = distance(typed.toLowerCase(), name.toLowerCase());
    if (changes < least) [best, least] = [name, changes];
  }
  return best;
}

/** Levenshtein's, row by row. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(changed, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
