import { listCopies, siteTrust } from "@trivault/backup";
import { type Config, newBackupId, type RetentionPolicy } from "@trivault/core";
import { scanAll } from "../src/inventory/scan.ts";
import type { MaintenanceSite } from "../src/maintenance-site.ts";
import { applyPlan, type ApplyOptions } from "../src/plan/apply-plan.ts";
import { loadMarks } from "../src/plan/marks.ts";
import { planSite, type SitePlan } from "../src/plan/plan-site.ts";
import { writeSeen } from "../src/plan/retention-state.ts";
import { rulesOf } from "../src/plan/rules-change.ts";
import { type FakeClock, type FakeSite, fakeSite, putBackup } from "./fake-site.ts";

/** The rules of each tier; null keeps everything. */
export type Rules = Readonly<Record<string, Partial<RetentionPolicy> | null>>;

export const shop = (backupId: string) => ({ database: "shop", backupId });
export const nothing = {
  last: 0,
  hourly: 0,
  daily: 0,
  weekly: 0,
  monthly: 0,
  yearly: 0,
  withinSeconds: null,
  atLeast: 2,
};
export const atOnce = (config: Config): Config => ({
  ...config,
  limits: { ...config.limits, retentionGraceSeconds: 0 },
});

export function keeping(rules: Rules): (config: Config) => Config {
  return (config) => ({
    ...config,
    databases: config.databases.map((database) => ({
      ...database,
      timeZone: "UTC",
      retention: Object.fromEntries(
        database.tiers.map((tier) => [tier, rules[tier] ? { ...nothing, ...rules[tier] } : null]),
      ),
    })),
  });
}

/** A site that has known its rules for long. */
export async function siteWithRules(rules: Rules): Promise<{ fake: FakeSite; clock: FakeClock }> {
  const clock: FakeClock = { now: null };
  const fake = await fakeSite({ change: keeping(rules), clock });
  const [database = null] = fake.config.databases;
  const known = { newest: newBackupId(new Date("2100-01-01")), held: null, accepted: rulesOf(database) };
  for (const { name } of fake.site.tiers)
    await writeSeen(fake.config, name, { databases: { shop: known }, refused: false });
  return { fake, clock };
}

export async function put(fake: FakeSite, ids: readonly string[], ...names: string[]): Promise<void> {
  const tiers = names.map((name) => fake.tier(name));
  for (const id of ids) await putBackup(tiers, fake.signingKey, shop(id));
}

export async function planNow(fake: FakeSite, site: MaintenanceSite = fake.site): Promise<SitePlan> {
  const { config } = site;
  const options = { signal: fake.context.signal, trust: await siteTrust(site) };
  const { inventories, unreachable } = await scanAll(site, site.tiers, options);
  const unknownTiers = unreachable.map(({ tier }) => tier);
  const marks = await loadMarks(config);
  return planSite({ config, databases: config.databases, inventories, unknownTiers, marks, now: site.now() });
}

export async function apply(
  fake: FakeSite,
  tier: string,
  changes: Partial<ApplyOptions> & { plan?: SitePlan; site?: MaintenanceSite } = {},
) {
  const { plan, site = fake.site, ...options } = changes;
  const { signal, note } = fake.context;
  const how = { signal, note, byHand: false, actor: "maintenance", ...options };
  const found = site.tiers.find(({ name }) => name === tier) ?? site.tiers[0];
  return applyPlan(site, found, plan ?? (await planNow(fake, site)), how);
}

export async function idsOn(fake: FakeSite, tier: string): Promise<string[]> {
  return (await listCopies(fake.tier(tier))).filter(({ complete }) => complete).map(({ backupId }) => backupId);
}
