import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { type FakeClock, type FakeSite, idsOf } from "../../test/fake-site.ts";
import { apply, keeping, planNow, put, type Rules, siteWithRules } from "../../test/planning.ts";
import type { MaintenanceSite } from "../maintenance-site.ts";
import { readSeen, writeSeen } from "./retention-state.ts";
import { rulesOf } from "./rules-change.ts";

let fake: FakeSite;
let clock: FakeClock;
const start = async (rules: Rules) => void ({ fake, clock } = await siteWithRules(rules));
afterEach(async () => fake[Symbol.asyncDispose]());

describe("9.A4 rules that changed", () => {
  const HOUR_MS = 3_600_000;
  const generous = { local: { last: 17 }, remote: { last: 17 }, cloud: { last: 17 } };
  const strict = { local: { last: 12 }, remote: { last: 12 }, cloud: { last: 12 } };
  let ids: string[];
  const changed = (rules = strict): MaintenanceSite => ({ ...fake.site, config: keeping(rules)(fake.config) });
  const later = (hours: number) => (clock.now = new Date(Date.now() + hours * HOUR_MS));

  beforeEach(async () => {
    await start(generous);
    ids = idsOf(17);
    await put(fake, ids, "local", "remote", "cloud");
  });

  test("delete nothing that the rules before keep, and say so once, with the time", async () => {
    const site = changed();
    for (let round = 0; round < 3; round++) {
      for (const tier of ["local", "remote", "cloud"]) {
        const { deleted, held } = await apply(fake, tier, { site });
        expect(deleted).toEqual([]);
        expect(held).toEqual([
          expect.stringMatching(
            `shop on ${tier}: 5 of 17 backups would go by rules that changed.*They stay until 20.* UTC`,
          ),
        ]);
      }
    }
    expect(fake.events.map(({ action, outcome, tier }) => `${action} ${outcome} ${tier}`)).toEqual([
      "retention.held refused local",
      "retention.held refused remote",
      "retention.held refused cloud",
    ]);
    const { plans } = await planNow(fake, site);
    const goes = plans.get("shop")?.decisions.filter(({ action, tier }) => action === "delete" && tier === "local");
    expect(goes?.map(({ backupId }) => backupId)).toEqual(ids.slice(0, 5).toReversed());
    expect(goes?.every(({ heldUntil }) => heldUntil !== undefined)).toBe(true);
  });

  test("delete after the time of grace, counted from when they were first seen", async () => {
    const site = changed();
    await apply(fake, "local", { site });
    later(23.9);
    expect((await apply(fake, "local", { site })).deleted).toEqual([]);
    later(24.1);
    expect((await apply(fake, "local", { site })).deleted).toHaveLength(5);
    expect(fake.events.at(1)).toMatchObject({ action: "retention.held", outcome: "ok" });
    expect((await readSeen(fake.config, "local")).databases["shop"]).toMatchObject({ accepted: rulesOf(dbOf(site)) });
    expect((await readSeen(fake.config, "local")).databases["shop"]?.changed).toBeUndefined();
  });

  test("delete once somebody has ordered the plan, and only on that tier", async () => {
    const site = changed();
    await apply(fake, "local", { site });
    expect((await apply(fake, "local", { site, byHand: true, actor: "user:ada@host" })).deleted).toHaveLength(5);
    expect((await apply(fake, "remote", { site })).deleted).toEqual([]);
    // What the rules order from then on is the plain course of things.
    await put(fake, idsOf(1, -1), "local", "remote", "cloud");
    expect((await apply(fake, "local", { site })).deleted.map(({ backupId }) => backupId)).toEqual([ids[5]]);
  });

  test("leave what the rules before would delete as well to go as ever", async () => {
    await put(fake, idsOf(2, -2), "local", "remote", "cloud");
    const { deleted, held } = await apply(fake, "local", { site: changed() });
    expect(deleted.map(({ backupId }) => backupId)).toEqual([ids[1], ids[0]]);
    expect(held).toEqual([expect.stringMatching("5 of 19 backups would go by rules that changed")]);
  });

  test("changed once more wait anew; changed back, nothing waits, and the alert ends", async () => {
    await apply(fake, "local", { site: changed() });
    later(23);
    const other = changed({ ...strict, local: { last: 10 } });
    await apply(fake, "local", { site: other });
    later(25);
    expect((await apply(fake, "local", { site: other })).deleted).toEqual([]);
    expect(await apply(fake, "local")).toMatchObject({ deleted: [], held: [] });
    expect(fake.events.at(-1)).toMatchObject({ action: "retention.held", outcome: "ok" });
  });

  test("from no rules, of a database that was not configured for a while, or for another calendar", async () => {
    const none: MaintenanceSite = { ...fake.site, config: { ...fake.config, databases: [] } };
    await apply(fake, "local", { site: none });
    later(25);
    await apply(fake, "local", { site: none });
    expect((await apply(fake, "local", { site: changed() })).deleted).toEqual([]);
    await start({ ...generous, local: null });
    await put(fake, ids, "local", "remote", "cloud");
    expect((await apply(fake, "local", { site: changed() })).deleted).toEqual([]);
    const daily = { local: { daily: 1 }, remote: { daily: 1 }, cloud: { daily: 1 } };
    const elsewhere = keeping(daily)(fake.config);
    const databases = elsewhere.databases.map((each) => ({ ...each, timeZone: "Pacific/Auckland" }));
    expect(
      (await apply(fake, "local", { site: { ...fake.site, config: { ...elsewhere, databases } } })).deleted,
    ).toEqual([]);
  });

  test("and were never noted, as their file was lost, hold all that would go; nothing to go is nothing to hold", async () => {
    for (const { name } of fake.site.tiers) await writeSeen(fake.config, name, { databases: {}, refused: false });
    // Nothing would go by these: so they are the rules from now on.
    await apply(fake, "remote");
    expect((await apply(fake, "remote", { site: changed() })).deleted).toEqual([]);
    expect((await readSeen(fake.config, "remote")).databases["shop"]?.accepted).toEqual(rulesOf(dbOf(fake.site)));
    const { deleted, held } = await apply(fake, "local", { site: changed() });
    expect(deleted).toEqual([]);
    expect(held).toHaveLength(1);
    later(24.1);
    expect((await apply(fake, "local", { site: changed() })).deleted).toHaveLength(5);
  });

  test("wait no longer where the clock was ahead when the change was seen", async () => {
    clock.now = new Date("2040-01-01");
    await apply(fake, "local", { site: changed() });
    clock.now = null;
    await apply(fake, "local", { site: changed() });
    later(24.1);
    expect((await apply(fake, "local", { site: changed() })).deleted).toHaveLength(5);
  });
});

function dbOf({ config }: MaintenanceSite) {
  return config.databases[0] ?? null;
}
