import { rm } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "@jest/globals";
import { newBackupId } from "@trivault/core";
import { type FakeClock, fakeSite, putBackup } from "../../test/fake-site.ts";
import { checkDatabase } from "../health/databases.ts";
import { backupHealth } from "../health/health.ts";
import type { InventoryCopy } from "./inventory.ts";
import { withSeenAt } from "./seen-at.ts";

const HOUR = 3_600_000;
const BEGIN = new Date("2026-11-23T02:00:00Z").getTime();
const at = (hours: number) => new Date(BEGIN + hours * HOUR);

function copyOf(hours: number): InventoryCopy {
  return {
    database: "shop",
    backupId: newBackupId(at(hours)),
    state: "complete",
    bytes: 1,
    objects: 2,
    newestAt: at(hours),
    classes: {},
    manifest: null,
    expected: null,
    problem: null,
    lastState: null,
    stamps: "",
  };
}

/** What scans at these hours make of a copy, one after the other. */
const scanned = (copy: InventoryCopy, ...hours: number[]) =>
  hours.reduce<InventoryCopy>((before, hour) => withSeenAt(copy, before, at(hour)), copy);

function healthAt(hours: number, copies: readonly InventoryCopy[]) {
  const [tier] = checkDatabase(
    { name: "shop", schedule: null, objectiveSeconds: 2 * 3600, tiers: ["local"] },
    {
      copiesOn: () => copies.toSorted((a, b) => (a.backupId < b.backupId ? -1 : 1)),
      unknownTiers: new Set(),
      lacking: [],
      lastRun: null,
      spreadSeconds: 0,
      now: at(hours),
    },
  ).tiers;
  return { ok: tier?.ok, hours: (tier?.ageSeconds ?? Number.NaN) / 3600, id: tier?.newestBackupId };
}

test("9.A8 health counts from when a scan saw it, and an inventory that was lost makes it no younger", async () => {
  const clock: FakeClock = { now: null };
  await using fake = await fakeSite({
    clock,
    change: (config) => ({
      ...config,
      databases: config.databases.map((each) => ({ ...each, objectiveSeconds: 2 * 3600 })),
    }),
  });
  const begun = Date.now();
  const backupId = newBackupId(new Date(begun + 20 * HOUR));
  await putBackup(fake.site.tiers, fake.signingKey, { database: "shop", backupId });
  const { config, tiers, now } = fake.site;
  const look = { config, tiers, now, databases: config.databases, signal: fake.context.signal, fresh: true };
  const health = () => backupHealth({ ...look, audit: { async *query() {} } });
  expect(await health()).toMatchObject({ ok: true });
  clock.now = new Date(begun + 3 * HOUR);
  expect(await health()).toMatchObject({ ok: false });
  await rm(path.join(config.backupDir, ".trivault/inventory"), { recursive: true });
  expect(await health()).toMatchObject({ ok: false });
});

describe("9.A8 the age of a backup that is dated in the future", () => {
  test("9.A8 is the time since it was seen: that backups stopped is not hidden until its date has come", () => {
    const ahead = scanned(copyOf(20), 0, 1, 2);
    expect(healthAt(1, [ahead])).toMatchObject({ ok: true, hours: 1 });
    expect(healthAt(3, [ahead])).toMatchObject({ ok: false, hours: 3 });
    expect(healthAt(21, [ahead])).toMatchObject({ ok: false, hours: 21 });
  });

  test("9.A8 seen first by the clock that was wrong, it counts from when that was put right", () => {
    const ahead = scanned(copyOf(20), 19, 1, 4);
    expect(healthAt(4, [ahead])).toMatchObject({ ok: false, hours: 3 });
  });

  test("9.A8 one that was made after it is newer, though its date is earlier", () => {
    const ahead = scanned(copyOf(20), 0, 4);
    const later = scanned(copyOf(3.5), 4);
    expect(healthAt(4, [ahead, later])).toMatchObject({ ok: true, hours: 0.5, id: later.backupId });
  });

  test("9.A8 backups of the past, and a clock that was reset to 1970, leave no trace", () => {
    expect(scanned(copyOf(0), 1).seenAt).toBeUndefined();
    expect(withSeenAt(copyOf(0), undefined, new Date(0)).seenAt).toBeUndefined();
  });
});
