import { parseArgs } from "node:util";

export type Setting = "loopback" | "link";

/** What can be measured by itself; `peers` takes long and is measured only where it is asked for. */
export const PARTS = ["backups", "restores", "puts", "encryption", "starts", "peers"] as const;
export type Part = (typeof PARTS)[number];

export interface Options {
  /** Size of the sample database in MB (1,000,000 bytes). */
  readonly megabytes: number;
  readonly runs: number;
  readonly settings: readonly Setting[];
  readonly parts: ReadonlySet<Part>;
  /** Where the JSON goes; null for none. */
  readonly jsonFile: string | null;
  /** A folder for V8 profiles of the worker, or null. Profiling slows the worker: its figures are then not comparable. */
  readonly profileDir: string | null;
}

export const USAGE = `usage: npm run bench -- [--size 1GB] [--runs 3] [--setting loopback|link|both] [--only PART,…] [--peers]
  [--json FILE] [--cpu-profile FOLDER]
parts: ${PARTS.join(", ")}`;

/** Null where the arguments are not of that form. */
export function parseOptions(args: readonly string[]): Options | null {
  const values = parse(args);
  const [, amount, unit] = /^(\d+)(MB|GB)$/.exec(values?.size ?? "") ?? [];
  const runs = Number(values?.runs);
  const settings = SETTINGS.get(values?.setting ?? "");
  const parts = partsOf(values?.only, values?.peers ?? false);
  if (!values || amount === undefined || !settings || !parts || !Number.isInteger(runs) || runs < 1) return null;
  return {
    megabytes: Number(amount) * (unit === "GB" ? 1000 : 1),
    runs,
    settings,
    parts,
    jsonFile: values.json ?? null,
    profileDir: values["cpu-profile"] ?? null,
  };
}

const SETTINGS: ReadonlyMap<string, readonly Setting[]> = new Map([
  ["loopback", ["loopback"]],
  ["link", ["link"]],
  ["both", ["loopback", "link"]],
]);

function partsOf(only: string | undefined, peers: boolean): Set<Part> | null {
  const names: readonly string[] = only?.split(",") ?? PARTS.filter((part) => part !== "peers");
  const parts = new Set(PARTS.filter((part) => names.includes(part) || (part === "peers" && peers)));
  return names.every((name) => (PARTS as readonly string[]).includes(name)) ? parts : null;
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        size: { type: "string", default: "1GB" },
        runs: { type: "string", default: "3" },
        setting: { type: "string", default: "both" },
        only: { type: "string" },
        peers: { type: "boolean", default: false },
        json: { type: "string" },
        "cpu-profile": { type: "string" },
      },
    }).values;
  } catch {
    return null; // an unknown option or a missing value: the usage says it all
  }
}
