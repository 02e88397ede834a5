import { parseArgs } from "node:util";

export type Setting = "loopback" | "link";

export interface Options {
  /** Size of the sample database in MB (1,000,000 bytes). */
  readonly megabytes: number;
  readonly runs: number;
  readonly settings: readonly Setting[];
  /** Where the JSON goes; null for none. */
  readonly jsonFile: string | null;
  /** A folder for V8 profiles of the worker, or null. Profiling slows the worker: its figures are then not comparable. */
  readonly profileDir: string | null;
}

export const USAGE = `usage: npm run bench -- [--size 1GB] [--runs 3] [--setting loopback|link|both] [--json FILE] [--cpu-profile FOLDER]`;

/** Null where the arguments are not of that form. */
export function parseOptions(args: readonly string[]): Options | null {
  const values = parse(args);
  const [, amount, unit] = /^(\d+)(MB|GB)$/.exec(values?.size ?? "") ?? [];
  const runs = Number(values?.runs);
  const settings = SETTINGS.get(values?.setting ?? "");
  if (!values || amount === undefined || !settings || !Number.isInteger(runs) || runs < 1) return null;
  return {
    megabytes: Number(amount) * (unit === "GB" ? 1000 : 1),
    runs,
    settings,
    jsonFile: values.json ?? null,
    profileDir: values["cpu-profile"] ?? null,
  };
}

const SETTINGS: ReadonlyMap<string, readonly Setting[]> = new Map([
  ["loopback", ["loopback"]],
  ["link", ["link"]],
  ["both", ["loopback", "link"]],
]);

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        size: { type: "string", default: "1GB" },
        runs: { type: "string", default: "3" },
        setting: { type: "string", default: "both" },
        json: { type: "string" },
        "cpu-profile": { type: "string" },
      },
    }).values;
  } catch {
    return null; // an unknown option or a missing value: the usage says it all
  }
}
