import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { listCopies, siteTrust } from "@trivault/backup";
import { readOnlyFolder } from "@trivault/testkit";
import { type FakeSite, fakeSite, idsOf, putBackup, wipe } from "../../test/fake-site.ts";
import { catchUp } from "../upkeep/catch-up.ts";
import { backupHealth } from "./health.ts";
import { maintainTier } from "../upkeep/maintain-tier.ts";
import { scanTier } from "../inventory/scan.ts";

let fake: FakeSite;
beforeEach(async () => {
  const last = { last: 2, hourly: 0, daily: 0, weekly: 0, monthly: 0, yearly: 0, withinSeconds: null, atLeast: 1 };
  fake = await fakeSite({
    change: (config) => ({
      ...config,
      limits: { ...config.limits, retentionGraceSeconds: 0 },
      databases: config.databases.map((each) => ({ ...each, retention: { local: null, remote: last, cloud: last } })),
    }),
  });
});
afterEach(async () => fake[Symbol.asyncDispose]());

const maintain = (tier: string) => maintainTier(fake.site, tier, fake.context);
const copiesOn = async (tier: string) => (await listCopies(fake.tier(tier))).length;
const health = () => {
  const { config, tiers, now } = fake.site;
  const audit = { async *query() {} };
  return backupHealth({ config, tiers, now, databases: config.databases, audit, signal: fake.context.signal });
};

// Only root may mount.
const asRoot = process.platform === "linux" && process.getuid?.() === 0 ? describe : describe.skip;

asRoot("9.B10 a BACKUP_DIR that became read-only", () => {
  async function prepare(): Promise<string[]> {
    const ids = idsOf(2);
    for (const backupId of ids) await putBackup(fake.site.tiers, fake.signingKey, { database: "shop", backupId });
    for (const { name } of fake.site.tiers) await maintain(name);
    return ids;
  }

  test("does not keep the other tiers from being looked after, and nothing is deleted that could not be noted", async () => {
    await prepare();
    await putBackup(fake.site.tiers, fake.signingKey, { database: "shop", backupId: idsOf(1, 0.5)[0] ?? "" });
    await wipe(fake.tier("cloud"));
    await scanTier(fake.site, fake.tier("cloud"), { signal: fake.context.signal, trust: await siteTrust(fake.site) });
    {
      using _ = readOnlyFolder(fake.config.backupDir);
      expect(await maintain("remote")).toMatchObject({ reachable: true, deleted: 0 });
      expect(await maintain("cloud")).toMatchObject({ reachable: true, copiesStarted: 2 });
      expect(await copiesOn("remote")).toBe(3);
      expect(fake.notes).toContainEqual(
        expect.stringMatching(/^remote: nothing is deleted, as BACKUP_DIR .* takes no note/),
      );
      await fake.work();
      expect(await copiesOn("cloud")).toBe(2);
    }
    fake.events.length = 0;
    expect(await maintain("remote")).toMatchObject({ lost: 0, deleted: 1 });
    expect(await maintain("cloud")).toMatchObject({ lost: 2 });
    expect(fake.events.map(({ action, tier }) => `${action} ${tier}`)).toEqual([
      "backup.deleted remote",
      "tier.vanished cloud",
    ]);
  });

  test("is what health says of the local tier, though all on it can be read", async () => {
    await prepare();
    using _ = readOnlyFolder(fake.config.backupDir);
    const { tiers } = await health();
    expect(tiers.map(({ name, reachable }) => ({ name, reachable }))).toEqual([
      { name: "local", reachable: false },
      { name: "remote", reachable: true },
      { name: "cloud", reachable: true },
    ]);
    expect(tiers[0]?.problem).toMatch(/^BACKUP_DIR .* cannot be written .*mounted read-only.*dmesg/);
  });

  test("ends no round of a machine without workers either", async () => {
    await prepare();
    await wipe(fake.tier("cloud"));
    using _ = readOnlyFolder(fake.config.backupDir);
    await catchUp(fake.site, fake.context);
    expect(await copiesOn("cloud")).toBe(2);
  });
});
