import { auditFolder, openAuditLog } from "@trivault/audit";
import type { MaintenanceSite } from "@trivault/maintenance";
import { openTiers } from "@trivault/storage";
import type { Environment } from "../environment.ts";

/** A site for whatever makes no backups: it needs no recipients, and seals and signs nothing. */
export async function withSite<T>(
  { config, log }: Environment,
  use: (site: MaintenanceSite) => Promise<T>,
): Promise<T> {
  const now = () => new Date();
  const [local, ...others] = openTiers(config.tiers);
  if (local === undefined) throw new RangeError("a configuration always has the local tier");
  const tiers: MaintenanceSite["tiers"] = [local, ...others];
  const audit = openAuditLog(auditFolder(config.backupDir), { now, log });
  const notHere = (): never => {
    throw new Error("this command seals and signs nothing");
  };
  try {
    return await use({ config, tiers, now, record: audit.record, sealer: notHere, signingKey: notHere });
  } finally {
    await audit.close();
    await Promise.all(tiers.map((tier) => tier.store.close()));
  }
}
