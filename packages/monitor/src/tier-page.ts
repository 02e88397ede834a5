import type { Config, TierConfig } from "@trivault/core";
import { type Holdings, summaryOf, type TierHealth, totalOf } from "@trivault/maintenance";
import { costOfCopies, type TierCost } from "@trivault/site";
import type { TierPage, TierRow, TierSample, VerificationRow } from "./views.ts";

export interface TierPageInput {
  readonly at: string;
  readonly health: TierHealth;
  readonly row: TierRow;
  readonly config: Pick<Config, "tiers">;
  readonly holdings: Holdings | null;
  readonly samples: readonly TierSample[];
  readonly verifications: readonly VerificationRow[];
}

export function tierPage(input: TierPageInput): TierPage {
  const { at, health, row, config, holdings, samples, verifications } = input;
  const tier = config.tiers.find(({ name }) => name === health.name);
  const costs = tier && holdings ? costsOf(tier, holdings).classes : [];
  const databases = [...(holdings?.copies ?? [])].map(([database, copies]) => {
    const { states, bytes } = summaryOf(copies);
    return { database, backups: states.complete, bytes };
  });
  return {
    at,
    health,
    row,
    samples,
    costs,
    databases: databases.toSorted((a, b) => b.bytes - a.bytes || (a.database < b.database ? -1 : 1)),
    verifications: verifications.toReversed(),
  };
}

export function costsOf(tier: TierConfig, holdings: Pick<Holdings, "copies">): TierCost {
  return costOfCopies(tier, [totalOf(holdings)]);
}
