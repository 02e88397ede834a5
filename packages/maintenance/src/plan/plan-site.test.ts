import { describe, expect, test } from "@jest/globals";
import { type Config, type CopyState, newBackupId, resolveConfig } from "@trivault/core";
import type { Inventory, InventoryCopy } from "../inventory/inventory.ts";
import type { Marks } from "./marks.ts";
import { planSite } from "./plan-site.ts";

const now = new Date("2026-11-23T12:00:00Z");
const policy = { last: 1, hourly: 0, daily: 0, weekly: 0, monthly: 0, yearly: 0, withinSeconds: null, atLeast: 1 };
const noMarks: Marks = { keep: new Map(), acceptedFrom: new Map(), rules: new Map(), gone: new Set(), problems: [] };
const config: Config = (() => {
  const resolved = resolveConfig(
    { DATABASE_URL: "postgresql://nobody@localhost/shop", BACKUP_ENCRYPTION: "none", BACKUP_S3_BUCKET: "bucket" },
    "backup",
  );
  const databases = resolved.databases.map((database) => ({
    ...database,
    retention: { local: policy, cloud: policy },
  }));
  return { ...resolved, databases };
})();
const ids = [1, 2, 3].map((hours) => newBackupId(new Date(now.getTime() - hours * 3_600_000)));
const [newest = "", middle = "", oldest = ""] = ids;

function copy(backupId: string, database = "shop", state: CopyState = "complete"): InventoryCopy {
  const none = {
    objects: 3,
    newestAt: now,
    classes: {},
    manifest: null,
    expected: null,
    problem: null,
    lastState: null,
    stamps: "",
  };
  return { database, backupId, state, bytes: 1000, ...none };
}

function inventory(tier: string, copies: readonly InventoryCopy[]): Inventory {
  return { tier, scannedAt: now, copies, capacity: null };
}

const plan = (inventories: readonly Inventory[], changes: { unknownTiers?: string[]; marks?: Marks } = {}) =>
  planSite({
    config,
    databases: config.databases,
    inventories,
    unknownTiers: changes.unknownTiers ?? [],
    marks: changes.marks ?? noMarks,
    now,
  });

const actions = ({ plans }: ReturnType<typeof plan>, tier: string, database = "shop") =>
  Object.fromEntries(
    (plans.get(database)?.decisions ?? [])
      .filter((decision) => decision.tier === tier)
      .map(({ backupId, action }) => [backupId, action]),
  );

describe("a plan of the site", () => {
  test("goes by the policies of each database and tier", () => {
    const both = [
      inventory(
        "local",
        ids.map((id) => copy(id)),
      ),
      inventory("cloud", [copy(newest)]),
    ];
    expect(actions(plan(both), "local")).toEqual({ [newest]: "keep", [middle]: "delete", [oldest]: "delete" });
    expect(actions(plan(both), "cloud")).toEqual({ [newest]: "keep", [middle]: "none", [oldest]: "none" });
  });

  test("an empty tier shall be filled, and nothing goes elsewhere that it shall have", () => {
    const wiped = plan([inventory("local", [copy(newest)]), inventory("cloud", [])]);
    expect(actions(wiped, "cloud")).toEqual({ [newest]: "copy" });
    const emptied = plan([
      inventory("local", []),
      inventory(
        "cloud",
        ids.map((id) => copy(id)),
      ),
    ]);
    expect(actions(emptied, "local")).toEqual({ [newest]: "copy", [middle]: "none", [oldest]: "none" });
    expect(actions(emptied, "cloud")).toMatchObject({ [newest]: "keep" });
  });

  test.each([
    ["without an inventory", [inventory("local", [copy(newest), copy(middle)])], []],
    [
      "reported as unknown",
      [inventory("local", [copy(newest), copy(middle)]), inventory("cloud", [copy(newest)])],
      ["cloud"],
    ],
  ])("a tier %s is decided nothing about", (_, inventories, unknownTiers) => {
    const { plans } = plan(inventories, { unknownTiers });
    expect(plans.get("shop")?.decisions.map(({ tier, action }) => [tier, action])).toEqual([
      ["local", "keep"],
      ["local", "delete"],
    ]);
    expect(plans.get("shop")?.decisions[0]?.reasons).toContain("cloud shall have it and could not be looked at");
  });

  test("of a database that is not configured nothing goes", () => {
    const old = ids.map((id) => copy(id, "old"));
    const made = plan([
      inventory("local", [copy(newest), ...old]),
      inventory("cloud", [copy(newest), ...old.slice(0, 1)]),
    ]);
    expect(actions(made, "local", "old")).toEqual({ [newest]: "keep", [middle]: "keep", [oldest]: "keep" });
    expect(made.warnings).toEqual([
      "old: 3 backups are on local, and nothing of it is deleted: its database is not configured.",
      "old: 1 backup is on cloud, and nothing of it is deleted: its database is not configured.",
    ]);
  });

  test("nor of a tier that its database is not to be on", () => {
    const elsewhere = { ...config, databases: config.databases.map((each) => ({ ...each, tiers: ["local"] })) };
    const inventories = [
      inventory(
        "local",
        ids.map((id) => copy(id)),
      ),
      inventory(
        "cloud",
        ids.map((id) => copy(id)),
      ),
    ];
    const { databases } = elsewhere;
    const made = planSite({ config: elsewhere, databases, inventories, unknownTiers: [], marks: noMarks, now });
    expect(actions(made, "cloud")).toEqual({ [newest]: "keep", [middle]: "keep", [oldest]: "keep" });
    expect(actions(made, "local")).toMatchObject({ [oldest]: "delete" });
  });
});

describe("marks", () => {
  const all = [
    inventory(
      "local",
      ids.map((id) => copy(id)),
    ),
    inventory("cloud", [copy(newest)]),
  ];
  const keep = (database: string) =>
    new Map([[oldest, { database, reason: "lawsuit", actor: "user:ada@host", at: now }]]);

  test("hold a backup everywhere, and have it copied to where it is not", () => {
    const marked = plan(all, { marks: { ...noMarks, keep: keep("shop") } });
    expect(actions(marked, "local")).toMatchObject({ [middle]: "delete", [oldest]: "keep" });
    expect(actions(marked, "cloud")).toMatchObject({ [middle]: "none", [oldest]: "copy" });
    expect(actions(plan(all, { marks: { ...noMarks, keep: keep("other") } }), "local")).toMatchObject({
      [oldest]: "delete",
    });
  });

  test("one that cannot be read holds everything, loudly", () => {
    const made = plan(all, { marks: { ...noMarks, problems: ["The mark x cannot be read."] } });
    expect(actions(made, "local")).toEqual({ [newest]: "keep", [middle]: "keep", [oldest]: "keep" });
    expect(made.warnings).toEqual(["The mark x cannot be read."]);
    expect(made.plans.get("shop")?.decisions.at(-2)?.reasons).toEqual(["held: a mark cannot be read"]);
  });

  test("a smaller size that was accepted displaces what was before", () => {
    const copies = [{ ...copy(newest), bytes: 10 }, copy(middle), copy(oldest)];
    const inventories = [inventory("local", copies), inventory("cloud", copies.slice(0, 2))];
    expect(actions(plan(inventories), "local")).toMatchObject({ [middle]: "keep" });
    const marks = { ...noMarks, acceptedFrom: new Map([["shop", newest]]) };
    expect(actions(plan(inventories, { marks }), "local")).toMatchObject({ [middle]: "delete" });
  });
});
