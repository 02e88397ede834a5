import { requireSite } from "@trivault/backup";
import { loadOrCreateSigningKey, type SigningKey } from "@trivault/crypto";
import type { MaintenanceSite } from "@trivault/maintenance";
import { openTiers } from "@trivault/storage";
import type { Environment } from "../../environment.ts";
import { withRecord } from "../../record.ts";

export interface Manner {
  readonly signal: AbortSignal;
  /** Nothing is changed: then it does not matter whose site this is. */
  readonly dryRun?: boolean | undefined;
}

/** A site for whatever makes no backups: it needs no recipients, as it seals nothing. */
export async function withSite<T>(
  { config, log }: Environment,
  { signal, dryRun = false }: Manner,
  use: (site: MaintenanceSite) => Promise<T>,
): Promise<T> {
  const [local, ...others] = openTiers(config.tiers);
  if (local === undefined) throw new RangeError("a configuration always has the local tier");
  const tiers: MaintenanceSite["tiers"] = [local, ...others];
  let signingKey: Promise<SigningKey> | null = null;
  try {
    if (!dryRun) await requireSite({ config, tiers, now: () => new Date(), log, signal });
    return await withRecord(config, (record) =>
      use({
        config,
        tiers,
        now: () => new Date(),
        record,
        sealer: () => {
          throw new Error("this command makes no backups");
        },
        signingKey: () => (signingKey ??= loadOrCreateSigningKey(config.signingKeyFile)),
      }),
    );
  } finally {
    await Promise.all(tiers.map((tier) => tier.store.close()));
  }
}
