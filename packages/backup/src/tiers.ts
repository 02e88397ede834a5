import { TrivaultError } from "@trivault/core";
import type { Tier } from "@trivault/storage";

export function findTier(tiers: readonly Tier[], name: string): Tier {
  const tier = tiers.find((candidate) => candidate.name === name);
  if (tier) return tier;
  const known = tiers.map((candidate) => candidate.name).join(", ");
  throw new TrivaultError("NOT_FOUND", `No tier named ${JSON.stringify(name)} is configured here; there is ${known}.`, {
    permanent: true,
  });
}
