import { describe, expect, test } from "@jest/globals";
import type { LocalTierConfig } from "@trivault/core";
import { checkBudget } from "./budget.ts";
import { costOf } from "@trivault/site";
import type { Inventory } from "./inventory.ts";

const tier: LocalTierConfig = {
  name: "cloud",
  kind: "local",
  directory: "/x",
  budget: null,
  origin: "environment",
  prices: {},
};
const GB = 1e9;

function inventory(copies: readonly { bytes: number; classes?: Record<string, number> }[]): Inventory {
  const at = new Date("2026-11-23T12:00:00Z");
  const none = {
    database: "shop",
    backupId: "x",
    state: "complete",
    objects: 1,
    manifest: null,
    expected: null,
    problem: null,
    lastState: null,
    stamps: "",
  } as const;
  const full = copies.map((copy) => ({ ...none, newestAt: at, classes: {}, ...copy }));
  return { tier: "cloud", scannedAt: at, copies: full, capacity: null };
}

describe("cost", () => {
  const classes = inventory([
    { bytes: 3 * GB, classes: { GLACIER_IR: 2.9 * GB, STANDARD: 0.1 * GB } },
    { bytes: 1 * GB, classes: { STANDARD: 1 * GB } },
  ]);

  test("by storage class, and in money where every class has a price", () => {
    const prices = { STANDARD: 0.023, GLACIER_IR: 0.004 };
    const [cost] = costOf({ tiers: [{ ...tier, prices }] }, [classes]);
    expect(cost?.bytes).toBeCloseTo(4 * GB);
    expect(cost?.classes.map(({ storageClass }) => storageClass)).toEqual(["GLACIER_IR", "STANDARD"]);
    expect(cost?.perMonth).toBeCloseTo(2.9 * 0.004 + 1.1 * 0.023);
  });

  test("a class without a price makes the whole unknown, and is named so", () => {
    const [cost] = costOf({ tiers: [{ ...tier, prices: { STANDARD: 0.023 } }] }, [classes]);
    expect(cost?.perMonth).toBeNull();
    expect(cost?.classes.map(({ perMonth }) => perMonth === null)).toEqual([true, false]);
  });

  test("a tier that reports no classes has all in STANDARD; one that was not looked at has no cost", () => {
    const plain = inventory([{ bytes: 2 * GB }]);
    const [cost] = costOf({ tiers: [{ ...tier, prices: { STANDARD: 0.01 } }] }, [plain]);
    expect(cost).toMatchObject({ perMonth: 0.02, classes: [{ storageClass: "STANDARD", bytes: 2 * GB }] });
    expect(costOf({ tiers: [tier] }, [])).toEqual([]);
    expect(costOf({ tiers: [tier] }, [plain])[0]?.perMonth).toBeNull();
  });
});

test.each([
  [null, "none", null],
  [{ bytes: 4000, whenFull: "stop" }, "ok", null],
  [{ bytes: 2999, whenFull: "warn" }, "warn", /cloud holds 2.9 KiB, more than its budget of 2.9 KiB. Keep fewer/],
  [{ bytes: 1024, whenFull: "stop" }, "stop", /its budget of 1.0 KiB, and takes no more copies/],
] as const)("a budget of %j is %s", (budget, state, message) => {
  const verdict = checkBudget({ ...tier, budget }, inventory([{ bytes: 1000 }, { bytes: 2000 }]));
  expect(verdict).toMatchObject({ state, usedBytes: 3000, budgetBytes: budget?.bytes ?? null });
  if (message === null) expect(verdict.message).toBeNull();
  else expect(verdict.message).toMatch(message);
});
