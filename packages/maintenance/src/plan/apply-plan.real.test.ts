import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { AuditEvent } from "@trivault/audit";
import { siteTrust } from "@trivault/backup";
import type { S3TierConfig, SftpTierConfig } from "@trivault/core";
import { openTier, type Tier } from "@trivault/storage";
import { type Ceph, sharedCeph, type Sshd, startSshd } from "@trivault/testkit";
import { type FakeSite, fakeSite, idsOf, putBackup } from "../../test/fake-site.ts";
import { applyPlan } from "./apply-plan.ts";
import type { MaintenanceSite } from "../maintenance-site.ts";
import { loadMarks } from "./marks.ts";
import { planSite } from "./plan-site.ts";
import { scanTier } from "../inventory/scan.ts";

const two = { last: 2, hourly: 0, daily: 0, weekly: 0, monthly: 0, yearly: 0, withinSeconds: null, atLeast: 2 };
const common = { budget: null, origin: "environment", prices: {} } as const;

let fake: FakeSite;
let ceph: Ceph;
let sshd: Sshd;
let appendOnly: Sshd;
const opened: Tier[] = [];

beforeAll(async () => {
  [ceph, sshd, appendOnly] = await Promise.all([
    sharedCeph(),
    startSshd(),
    startSshd({ config: ["ForceCommand internal-sftp -P remove"] }),
  ]);
  fake = await fakeSite();
}, 150_000);
afterAll(async () => {
  await Promise.all(opened.map(({ store }) => store.close()));
  await Promise.all([fake?.[Symbol.asyncDispose](), ceph?.stop(), sshd?.stop(), appendOnly?.stop()]);
}, 60_000);

function s3(name: string): S3TierConfig {
  return {
    ...common,
    name: "cloud",
    kind: "s3",
    bucket: name,
    prefix: "backups",
    region: "us-east-1",
    endpoint: ceph.endpoint,
    pathStyle: true,
    verify: "server",
    conditionalPut: true,
    credentials: { accessKeyId: ceph.accessKey, secretAccessKey: ceph.secretKey },
    storageClass: null,
    lifecycle: [],
  };
}

function sftp({ host, port, user, keyFile, directory, fingerprint }: Sshd): SftpTierConfig {
  return { ...common, name: "remote", kind: "sftp", host, port, user, keyFile, directory, hostKey: { fingerprint } };
}

/** A site with this one tier, which holds five backups and shall hold two. */
async function siteOf(tier: Tier, ids: readonly string[]): Promise<MaintenanceSite & { events: AuditEvent[] }> {
  opened.push(tier);
  for (const backupId of ids) await putBackup([tier], fake.signingKey, { database: "shop", backupId });
  // Rules that are new are not what is looked at here.
  const limits = { ...fake.config.limits, retentionGraceSeconds: 0 };
  const databases = fake.config.databases.map((database) => ({
    ...database,
    tiers: [tier.name],
    retention: { [tier.name]: two },
  }));
  const events: AuditEvent[] = [];
  const record = async (event: AuditEvent) => void events.push(event);
  return { ...fake.site, tiers: [tier], config: { ...fake.config, limits, databases }, record, events };
}

async function cleanUp(site: MaintenanceSite, tier: Tier) {
  const { signal, note } = fake.context;
  const { config } = site;
  const { inventory } = await scanTier(site, tier, { signal, trust: await siteTrust(site) });
  const marks = await loadMarks(config);
  const known = { inventories: [inventory], unknownTiers: [], marks, now: site.now() };
  const plan = planSite({ config, databases: config.databases, ...known });
  return applyPlan(site, tier, plan, { signal, note, byHand: false, actor: "maintenance" });
}

async function newBucket(): Promise<string> {
  const name = `trivault-${randomBytes(6).toString("hex")}`;
  await ceph.createBucket(name);
  return name;
}

const keysOn = async ({ store }: Tier) => (await Array.fromAsync(store.list(""))).map(({ key }) => key);

describe("retention on real servers", () => {
  test.each([
    ["a bucket", async () => s3(await newBucket())],
    ["a server over SFTP", async () => sftp(sshd)],
  ])("%s: what is beyond the rules goes, the rest stays whole", async (_, configOf) => {
    const tier = openTier(await configOf());
    const ids = idsOf(5);
    const site = await siteOf(tier, ids);
    const before = await keysOn(tier);
    const { deleted, held, bytes } = await cleanUp(site, tier);
    expect(held).toEqual([]);
    expect(deleted.map(({ backupId }) => backupId)).toEqual(ids.slice(0, 3).toReversed());
    expect(await keysOn(tier)).toEqual(before.filter((key) => ids.slice(3).some((id) => key.includes(id))));
    expect(site.events.map(({ action, outcome }) => [action, outcome])).toEqual(
      Array.from({ length: 3 }, () => ["backup.deleted", "ok"]),
    );
    expect(bytes).toBeGreaterThan(1000);
    expect(await cleanUp(site, tier)).toEqual({ deleted: [], held: [], bytes: 0 });
  });

  test("a server that lets nothing be removed (append-only) is a warning, recorded once", async () => {
    const tier = openTier(sftp(appendOnly));
    const site = await siteOf(tier, idsOf(5));
    const before = await keysOn(tier);
    for (let round = 0; round < 2; round++) {
      const { deleted, held } = await cleanUp(site, tier);
      expect(deleted).toEqual([]);
      expect(held).toEqual([expect.stringMatching(/^remote lets nothing be deleted, so it only grows: /)]);
    }
    expect(await keysOn(tier)).toEqual(before);
    expect(site.events).toEqual([expect.objectContaining({ action: "backup.deleted", outcome: "refused" })]);
  });
});
