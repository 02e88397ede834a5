import type { MaintenanceSite } from "@trivault/maintenance";
import type { ApiDeps } from "./deps.ts";

/** The site, for whatever makes no backups: nothing is sealed or signed here. */
export function siteOf({ config, tiers, record }: ApiDeps): MaintenanceSite {
  const [local, ...others] = tiers;
  if (local === undefined) throw new RangeError("a configuration always has the local tier");
  const never = () => {
    throw new Error("the API makes no backups");
  };
  return { config, tiers: [local, ...others], record, now: () => new Date(), sealer: never, signingKey: never };
}
