import { type Absolute, withoutSlash } from "../environment/tiers.ts";
import type { FileTier, FileTierOptions } from "./schema.ts";
import { isKeyText, shownVariable, variableOf } from "../text/key-text.ts";
import type { Problem } from "../model/problems.ts";
import type { ConfigFile } from "./read-file.ts";
import { placeIdOf } from "../model/place-of.ts";
import type { S3TierConfig, SftpTierConfig, TierConfig } from "../model/types.ts";

export type Env = Readonly<Record<string, string | undefined>>;

interface Surroundings {
  readonly env: Env;
  readonly absolute: Absolute;
  /** What is set of it, right or wrong. */
  readonly keys: readonly string[];
  /** Reports a problem with a part of this tier. */
  readonly problem: (at: readonly string[], message: string) => void;
}

/** The tiers of a configuration file, but for the options of the local one, and what is wrong with them. */
export function tiersOfFile(
  file: ConfigFile,
  env: Env,
  absolute: Absolute,
): { tiers: TierConfig[]; problems: Problem[] } {
  const { local: _local, ...named } = file.content.tiers ?? {};
  const problems: Problem[] = [];
  const tiers: TierConfig[] = [];
  for (const [name, tier] of Object.entries(named as Readonly<Record<string, FileTier>>)) {
    const problem = (at: readonly string[], message: string) =>
      void problems.push(file.problem(["tiers", name, ...at], message));
    if (!/^[a-z][a-z0-9-]{0,30}$/.test(name)) {
      problem([], "is no name for a tier: expected up to 31 of a-z, 0-9 and -, a letter first.");
    }
    const origin = { file: file.path, at: `tiers.${name}` };
    tiers.push(
      tierOf({ name, origin, ...optionsOf(tier) }, tier, { env, absolute, keys: file.keysOf("tiers", name), problem }),
    );
  }
  return { tiers, problems };
}

export function optionsOf(tier: FileTierOptions): Pick<TierConfig, "budget" | "prices"> {
  const { budget, prices } = tier;
  return {
    budget: budget === undefined ? null : { bytes: budget.size, whenFull: budget.whenFull ?? "warn" },
    prices: Object.fromEntries(
      Object.entries(prices ?? {}).flatMap(([name, price]) => (price === undefined ? [] : [[name, price]])),
    ),
  };
}

function tierOf(common: Common, tier: FileTier, around: Surroundings): TierConfig {
  if (tier.kind === "local") return { ...common, kind: tier.kind, directory: around.absolute(tier.directory) };
  return tier.kind === "sftp" ? sftpTier(common, tier, around) : s3Tier(common, tier, around);
}

type Common = Pick<TierConfig, "name" | "origin" | "budget" | "prices">;

function sftpTier(common: Common, tier: FileTier & { kind: "sftp" }, around: Surroundings): SftpTierConfig {
  if (!around.keys.includes("hostKey") && !around.keys.includes("knownHosts")) {
    around.problem(["hostKey"], "or knownHosts must be set: without it any server could pose as yours.");
  }
  return {
    ...common,
    kind: tier.kind,
    host: tier.host,
    port: tier.port ?? 22,
    user: tier.user,
    keyFile: keyFileOf(tier.keyFile, around),
    directory: withoutSlash(tier.directory),
    hostKey:
      tier.hostKey === undefined
        ? { knownHostsFile: around.absolute(tier.knownHosts ?? "") }
        : { fingerprint: tier.hostKey.replace(/=$/, "") },
  };
}

/** A path, or `env:NAME`: the key itself lies in that variable. */
function keyFileOf(keyFile: string, { env, absolute, problem }: Surroundings): string {
  const variable = variableOf(keyFile);
  if (variable !== null && !isKeyText(env[variable] ?? "")) {
    const shown = shownVariable(variable);
    problem(["keyFile"], `names ${shown}, which holds no private key (-----BEGIN …) in the environment.`);
  }
  return absolute(keyFile);
}

function s3Tier(common: Common, tier: FileTier & { kind: "s3" }, around: Surroundings): S3TierConfig {
  const lifecycle = (tier.lifecycle ?? []).map((step) => ({ afterDays: step.after, storageClass: step.class }));
  if (lifecycle.some(({ afterDays }, index) => afterDays <= (lifecycle[index - 1]?.afterDays ?? 0))) {
    around.problem(["lifecycle"], "must ascend: each step is for a later age than the one before it.");
  }
  return {
    ...common,
    kind: tier.kind,
    bucket: tier.bucket,
    prefix: tier.prefix ?? "",
    region: tier.region ?? "us-east-1",
    endpoint: tier.endpoint ?? null,
    pathStyle: tier.pathStyle ?? tier.endpoint !== undefined,
    verify: tier.verify ?? "server",
    conditionalPut: tier.conditionalPut ?? true,
    credentials: credentials(tier, around),
    storageClass: tier.storageClass ?? null,
    lifecycle,
  };
}

function credentials(tier: FileTier & { kind: "s3" }, { env, problem }: Surroundings): S3TierConfig["credentials"] {
  if (tier.credentials === undefined) return null;
  const { accessKeyIdEnv, secretAccessKeyEnv } = tier.credentials;
  const read = (key: string, variable: string) => {
    const value = env[variable] ?? "";
    if (value === "")
      problem(["credentials", key], `names ${shownVariable(variable)}, which is not set in the environment.`);
    return value;
  };
  return {
    accessKeyId: read("accessKeyIdEnv", accessKeyIdEnv),
    secretAccessKey: read("secretAccessKeyEnv", secretAccessKeyEnv),
  };
}

/** Two tiers at one place would take each other's backups for their own. */
export function placesTakenTwice(tiers: readonly TierConfig[]): [name: string, other: string][] {
  const places = new Map<string, string>();
  const twice: [string, string][] = [];
  for (const tier of tiers) {
    const place = placeIdOf(tier);
    const other = places.get(place);
    if (other === undefined) places.set(place, tier.name);
    else twice.push([tier.name, other]);
  }
  return twice;
}
