import { listCopies, siteTrust, verifyCopy } from "@trivault/backup";
import type { Tier } from "@trivault/storage";
import type { MaintenanceSite } from "../src/maintenance-site.ts";
import { maintainTier } from "../src/upkeep/maintain-tier.ts";
import { type FakeSite, putBackup } from "./fake-site.ts";

export const ALL = ["local", "remote", "cloud"];

export const shop = (backupId: string) => ({ database: "shop", backupId });

/** A round of maintenance of a tier. */
export const maintain = (fake: FakeSite, tier: string, site: MaintenanceSite = fake.site) =>
  maintainTier(site, tier, fake.context);

export async function maintainAll(fake: FakeSite): Promise<void> {
  for (const tier of ALL) await maintain(fake, tier);
}

export async function putEverywhere(fake: FakeSite, ids: readonly string[]): Promise<void> {
  for (const id of ids) await putBackup(fake.site.tiers, fake.signingKey, shop(id));
}

/** Whether every byte of the copy is what its manifest says. */
export async function isGood(fake: FakeSite, tier: Tier, id: string): Promise<boolean> {
  const options = { signal: fake.context.signal, allowUnsigned: false };
  return (await verifyCopy(tier, shop(id), await siteTrust(fake.site), options)).good;
}

/** Whole copies by their bytes, newest last. */
export async function wholeOn(fake: FakeSite, name: string): Promise<string[]> {
  const whole: string[] = [];
  for (const { backupId } of await listCopies(fake.tier(name))) {
    if (await isGood(fake, fake.tier(name), backupId)) whole.push(backupId);
  }
  return whole;
}

export async function keysOn(fake: FakeSite, name: string): Promise<string[]> {
  return (await Array.fromAsync(fake.tier(name).store.list(""))).map(({ key }) => String(key));
}
