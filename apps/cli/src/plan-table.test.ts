import { expect, jest, test } from "@jest/globals";
import type { Config, TierConfig } from "@trivault/core";
import { type Inventory, planReport, type SitePlan } from "@trivault/maintenance";
import type { Decision } from "@trivault/retention";
import { printPlan } from "./plan-table.ts";

const at = new Date("2026-11-23T12:00:00Z");
const GB = 1e9;
const tier: TierConfig = {
  name: "cloud",
  origin: "environment",
  kind: "local",
  directory: "/x",
  budget: { bytes: 2 * GB, whenFull: "warn" },
  prices: { STANDARD: 0.02, GLACIER_IR: 0.01 },
};
const config: Pick<Config, "tiers"> = { tiers: [tier] };

function decision(day: number, action: Decision["action"], reason: string, database = "shop"): Decision {
  const backupId = `2026112${day}t020000z-7f3k9xq2`;
  return { database, backupId, tier: "cloud", bytes: GB, state: "complete", action, reasons: [reason] };
}

const NO_RULES = { timeZone: "UTC", tiers: {} };
const plan: SitePlan = {
  plans: new Map([
    [
      "shop",
      {
        decisions: [
          decision(3, "keep", "daily 2026-11-23"),
          decision(2, "delete", "beyond every rule (at least 1)"),
          decision(1, "copy", "kept by hand: lawsuit"),
          decision(0, "none", "beyond every rule (at least 1)"),
          { ...decision(0, "delete", "x"), tier: "local" },
        ],
        rules: NO_RULES,
        warnings: ["shop: look at it"],
      },
    ],
    [
      "other",
      {
        decisions: [decision(2, "keep", "kept by hand: audit", "other")],
        warnings: ["other: as well"],
        rules: NO_RULES,
      },
    ],
  ]),
  warnings: ["The mark x cannot be read.", "shop: look at it", "other: as well"],
};
const copies = [...plan.plans.values()]
  .flatMap(({ decisions }) => decisions)
  .filter((each) => each.tier === "cloud" && (each.action === "keep" || each.action === "delete"))
  .map(({ database, backupId, bytes }) => ({
    database,
    backupId,
    bytes,
    state: "complete" as const,
    objects: 3,
    newestAt: at,
    classes: { STANDARD: 0.2 * GB, GLACIER_IR: 0.8 * GB },
    manifest: null,
    expected: null,
    problem: null,
    lastState: null,
    stamps: "",
  }));
const inventories: Inventory[] = [{ tier: "cloud", scannedAt: at, copies, capacity: null }];

function printed(report: ReturnType<typeof planReport>): { out: string; err: string } {
  const text = { out: "", err: "" };
  const out = jest.spyOn(process.stdout, "write").mockImplementation((chunk) => Boolean((text.out += String(chunk))));
  const err = jest.spyOn(process.stderr, "write").mockImplementation((chunk) => Boolean((text.err += String(chunk))));
  try {
    printPlan(report);
  } finally {
    out.mockRestore();
    err.mockRestore();
  }
  return text;
}

test("a plan shows what stays and why, what goes and why, bytes and money", () => {
  const { out, err } = printed(planReport({ config, plan, inventories, tier: "cloud" }));
  expect(out).toBe(`BACKUP                     DATABASE     SIZE  DECISION
20261123t020000z-7f3k9xq2  shop      954 MiB  kept: daily 2026-11-23
20261122t020000z-7f3k9xq2  shop      954 MiB  would delete: beyond every rule (at least 1)
20261121t020000z-7f3k9xq2  shop      954 MiB  missing: by hand: lawsuit
20261122t020000z-7f3k9xq2  other     954 MiB  kept: by hand: audit

Kept          2
Would delete  1, which frees 954 MiB and saves 0.01 a month
Missing       1, to be copied from another tier

STORAGE CLASS      NOW  A MONTH
GLACIER_IR     2.2 GiB     0.02
STANDARD       572 MiB     0.01
all            2.8 GiB     0.04
`);
  expect(err).toMatch(
    /Warning: The mark x cannot be read\.\nWarning: shop.*\nWarning: other.*\nWarning: The tier cloud holds 2\.8 GiB/,
  );
});

test("of one database: its decisions and warnings, and those of the site; the cost is the tier's", () => {
  const report = planReport({ config, plan, inventories, tier: "cloud", database: "other" });
  expect(report).toMatchObject({ kept: 1, deleted: 0, missing: 0, freedBytes: 0, cost: { bytes: 3 * GB } });
  expect(report.decisions.map(({ database }) => database)).toEqual(["other"]);
  expect(report.warnings).toEqual(["The mark x cannot be read.", "other: as well"]);
  expect(printed(report).out).toMatch(/^Would delete {2}none$/m);
});

test("nothing is said of money where no price is known, nor of a tier that could not be looked at", () => {
  const free = { tiers: [{ ...tier, prices: {}, budget: null }] };
  const plain = inventories.map((each) => ({ ...each, copies: each.copies.map((copy) => ({ ...copy, classes: {} })) }));
  expect(printed(planReport({ config: free, plan, inventories: plain, tier: "cloud" })).out).not.toMatch(/CLASS|month/);
  expect(planReport({ config, plan, inventories: [], tier: "cloud" })).toMatchObject({
    cost: null,
    budget: null,
    savedPerMonth: null,
  });
});

test("9.A4 a dry run shows what rules that changed would delete, and until when that waits", () => {
  const heldUntil = "2026-11-24T10:00:00.000Z";
  const [shop = { decisions: [], warnings: [], rules: NO_RULES }] = plan.plans.values();
  const held = shop.decisions.map((each) => (each.action === "delete" ? { ...each, heldUntil } : each));
  const plans = new Map([["shop", { ...shop, decisions: held }]]);
  const report = planReport({ config, plan: { plans, warnings: [] }, inventories, tier: "cloud" });
  expect(report.held).toBe(1);
  const { out, err } = printed(report);
  expect(out).toMatch(/would delete, held until 2026-11-24 10:00 UTC: beyond every rule/);
  expect(err).toMatch(
    /1 of these waits until 2026-11-24 10:00 UTC: the rules changed, and those before keep it\. A cleanup by hand deletes it at once/,
  );
});
