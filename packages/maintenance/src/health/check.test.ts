import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { type Config, newBackupId } from "@trivault/core";
import fc from "fast-check";
import { type FakeSite, fakeSite } from "../../test/fake-site.ts";
import { createHealthCheck, type SeenTier } from "./check.ts";
import { type Holdings, holdingsOf } from "../inventory/holdings.ts";
import type { Inventory, InventoryCopy } from "../inventory/inventory.ts";
import type { Marks } from "../plan/marks.ts";
import { planSite } from "../plan/plan-site.ts";

let fake: FakeSite;
let config: Config;
beforeEach(async () => {
  fake = await fakeSite();
  config = fake.config;
});
afterEach(async () => fake[Symbol.asyncDispose]());

const NOW = new Date("2026-11-23T12:00:00Z");
const IDS = Array.from({ length: 40 }, (_, i) => newBackupId(new Date(NOW.getTime() + (2 - i) * 7 * 3_600_000)));
const NO_HISTORY = { lastRun: () => null, lastCopyAt: null, isFailedCopy: () => false };
const copy = fc.record({
  database: fc.constantFrom("shop", "billing", "stranger"),
  id: fc.nat({ max: IDS.length - 1 }),
  state: fc.constantFrom("complete", "complete", "complete", "damaged", "partial"),
  bytes: fc.constantFrom(1, 100, 100_000),
} as const);
const tier = fc.record({ copies: fc.array(copy, { maxLength: 30 }), known: fc.boolean(), reachable: fc.boolean() });
/** Some looks, one after the other; between them a tier may be as it was. */
const looks = fc.array(
  fc.record({
    tiers: fc.tuple(tier, tier, tier),
    same: fc.array(fc.nat({ max: 2 })),
    kept: fc.array(fc.nat({ max: 39 })),
    /** All tiers hold the same. */
    alike: fc.boolean(),
  }),
  { minLength: 1, maxLength: 4 },
);

function inventoryOf(
  name: string,
  copies: readonly { database: string; id: number; state: InventoryCopy["state"]; bytes: number }[],
): Inventory {
  const distinct = new Map(copies.map((one) => [`${one.database} ${one.id}`, one]));
  return {
    tier: name,
    scannedAt: NOW,
    capacity: null,
    copies: [...distinct.values()].map(({ database, id, state, bytes }) => {
      const rest = {
        objects: 2,
        newestAt: NOW,
        classes: {},
        manifest: null,
        expected: null,
        problem: null,
        lastState: null,
        stamps: "",
      };
      return { database, backupId: IDS[id] ?? "", state, bytes, ...rest };
    }),
  };
}

test("what is remembered from look to look gives the same as reckoning all anew, and as the plan of the site", () => {
  const [only] = config.databases;
  if (only === undefined) throw new Error("the fixture has a database");
  const databases = [only, { ...only, name: "billing", tiers: ["local", "cloud"] }];
  fc.assert(
    fc.property(looks, (sequence) => {
      const check = createHealthCheck(config);
      let before = new Map<string, { holdings: Holdings; inventory: Inventory }>();
      for (const { tiers, same, kept, alike } of sequence) {
        const now = new Map<string, { holdings: Holdings; inventory: Inventory }>();
        const seen = new Map<string, SeenTier>();
        for (const [index, { name }] of config.tiers.entries()) {
          const last = before.get(name);
          const found = tiers[alike ? 0 : index];
          if (!found) throw new Error("three tiers");
          const inventory = same.includes(index) && last ? last.inventory : inventoryOf(name, found.copies);
          const holdings = holdingsOf(inventory, last?.holdings ?? null);
          now.set(name, { holdings, inventory });
          const unreachable = found.reachable ? null : { since: NOW, reason: "away" };
          if (found.known) seen.set(name, { holdings, unreachable });
        }
        before = now;
        const marks: Marks = {
          keep: new Map(kept.map((id) => [IDS[id] ?? "", { database: "shop", reason: "law", actor: "me", at: NOW }])),
          acceptedFrom: new Map(),
          rules: new Map(),
          gone: new Set(),
          problems: [],
        };
        const input = { databases, seen, marks, now: NOW };
        const look = check(input);
        const fresh = createHealthCheck(config)({
          ...input,
          seen: new Map(
            [...seen].map(([name, one]) => [
              name,
              { ...one, holdings: holdingsOf(now.get(name)?.inventory as Inventory) },
            ]),
          ),
        });
        expect(look.report(NO_HISTORY)).toEqual(fresh.report(NO_HISTORY));
        const unknownTiers = config.tiers
          .map(({ name }) => name)
          .filter((name) => seen.get(name)?.unreachable !== null);
        const inventories = [...now.values()].map(({ inventory }) => inventory);
        const { plans } = planSite({ config, databases, inventories, unknownTiers, marks, now: NOW });
        const lacking = [...plans.values()].flatMap(({ decisions }) =>
          decisions.filter(({ action }) => action === "copy"),
        );
        const nameOf = ({ backupId, tier: on, database }: { backupId: string; tier: string; database: string }) =>
          `${database} ${backupId} ${on}`;
        expect(look.lacking.map(nameOf).toSorted()).toEqual(lacking.map(nameOf).toSorted());
        for (const [name, { decisions }] of plans) {
          const sorted = (those: typeof decisions) => those.map((one) => JSON.stringify(one)).toSorted();
          expect(sorted(look.plan(name)?.decisions ?? [])).toEqual(sorted(decisions));
        }
      }
    }),
    { numRuns: 40 },
  );
});
