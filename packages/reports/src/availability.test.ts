import { describe, expect, test } from "@jest/globals";
import type { AuditEvent, RecordedEvent } from "@trivault/audit";
import { newBackupId } from "@trivault/core";
import fc from "fast-check";
import { databaseAvailability, siteAvailability, verdictOf } from "./availability.ts";
import { foldCopies } from "./copy-history.ts";
import { lengthOf } from "./intervals.ts";

const MINUTE = 60_000;
const ZERO = Date.parse("2026-11-01T00:00:00Z");
const TIERS = ["local", "cloud"];
const at = (minute: number) => ZERO + minute * MINUTE;

/** Backups are numbered by the minute in which they were begun. */
const idOf = (minute: number) => `${newBackupId(new Date(at(minute))).slice(0, 17)}00000000`;

function record(events: readonly (AuditEvent & { readonly minute: number })[]): RecordedEvent[] {
  return events
    .toSorted((a, b) => a.minute - b.minute)
    .map(({ minute, ...event }, index) => ({ seq: index + 1, at: new Date(at(minute)), host: "h", pid: 1, ...event }));
}

function historyOf(events: readonly (AuditEvent & { readonly minute: number })[]) {
  const fold = foldCopies("local");
  for (const event of record(events)) fold.add(event);
  return fold.history();
}

const copy = (minute: number, begun: number, tier: string, database = "shop") =>
  ({ minute, action: "backup.copy", outcome: "ok", actor: "schedule", database, tier, backupId: idOf(begun) }) as const;
const deletion = (minute: number, begun: number, tier: string) =>
  ({ ...copy(minute, begun, tier), action: "backup.deleted" }) as const;
const away = (minute: number, tier: string) =>
  ({ minute, action: "tier.unreachable", outcome: "failed", actor: "maintenance", tier }) as const;
const back = (minute: number, tier: string) =>
  ({ ...away(minute, tier), action: "tier.reachable", outcome: "ok" }) as const;

const shop = (objectiveMinutes: number | null, tiers = TIERS) => ({
  name: "shop",
  tiers,
  objectiveSeconds: objectiveMinutes === null ? null : objectiveMinutes * 60,
});
const window = { from: at(0), to: at(1000) };
const minutesOf = (stretches: Parameters<typeof lengthOf>[0]) => lengthOf(stretches) / MINUTE;

describe("one database", () => {
  test("is available while each tier holds a copy that is young enough", () => {
    const history = historyOf([
      copy(100, 90, "local"),
      copy(110, 90, "cloud"),
      copy(160, 150, "local"),
      copy(300, 290, "cloud"),
    ]);
    // Local from 100 to 150 + 60, cloud from 110 to 90 + 60 and from 300 on: together from 110 to 150.
    const found = databaseAvailability(shop(60), history, window);
    expect(found.good).toEqual([{ from: at(110), to: at(150) }]);
    expect(found.known).toEqual([{ from: at(100), to: at(1000) }]);
  });

  test("a copy that is deleted, damaged or gone counts no longer, and a new one counts again", () => {
    const gone = (how: AuditEvent & { readonly minute: number }) => {
      const history = historyOf([copy(100, 90, "local"), how, copy(400, 90, "local")]);
      return databaseAvailability(shop(null, ["local"]), history, window).good;
    };
    const expected = [
      { from: at(100), to: at(200) },
      { from: at(400), to: at(1000) },
    ];
    const damaged = {
      ...copy(200, 90, "local"),
      action: "backup.verified",
      outcome: "failed",
      details: { state: "damaged" },
    } as const;
    expect(gone(deletion(200, 90, "local"))).toEqual(expected);
    expect(gone(damaged)).toEqual(expected);
    expect(
      gone({ ...damaged, action: "tier.vanished", details: { oldest: idOf(80), newest: idOf(95), copies: 2 } }),
    ).toEqual(expected);
    expect(gone({ ...damaged, details: { state: "unknown" } })).toEqual([{ from: at(100), to: at(1000) }]);
    expect(gone({ ...deletion(200, 90, "local"), outcome: "refused" })).toEqual([{ from: at(100), to: at(1000) }]);
  });

  test("a copy on a tier that cannot be reached is none, and that is counted separately", () => {
    const history = historyOf([
      copy(10, 5, "local"),
      copy(12, 5, "cloud"),
      away(100, "cloud"),
      back(150, "cloud"),
      away(900, "cloud"),
    ]);
    const found = databaseAvailability(shop(null), history, window);
    expect(found.good).toEqual([
      { from: at(12), to: at(100) },
      { from: at(150), to: at(900) },
    ]);
    expect(minutesOf(found.unreachable)).toBe(150);
  });

  test("the time before the audit log's first word is not known; a failed run is a word", () => {
    const failed = { ...copy(300, 299, "local"), action: "backup.dump", outcome: "failed" } as const;
    const history = historyOf([failed, copy(400, 395, "local")]);
    const found = databaseAvailability(shop(60, ["local"]), history, window);
    expect(found.known).toEqual([{ from: at(300), to: at(1000) }]);
    expect(found.good).toEqual([{ from: at(400), to: at(455) }]);
    const other = { ...shop(60), name: "billing" };
    expect(databaseAvailability(other, history, window)).toEqual({ good: [], known: [], unreachable: [] });
  });

  test("a clock that was ahead makes no copy younger", () => {
    const found = databaseAvailability(shop(60, ["local"]), historyOf([copy(100, 100_000, "local")]), window);
    expect(found.good).toEqual([{ from: at(100), to: at(160) }]);
  });
});

const END = 120;
const step = fc.record({
  minute: fc.integer({ min: -40, max: END - 1 }),
  kind: fc.constantFrom("copy", "copy", "copy", "delete", "away", "back"),
  tier: fc.constantFrom(...TIERS),
  backup: fc.integer({ min: 0, max: 5 }),
});

test("is what a look at each minute finds", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), fc.integer({ min: 1, max: 80 }), (steps, objective) => {
      const begun = (backup: number) => -40 + backup * 25;
      const ordered = steps
        .filter(({ kind, minute, backup }) => kind !== "copy" || minute > begun(backup))
        .toSorted((a, b) => a.minute - b.minute);
      const events = ordered.map(({ minute, kind, tier, backup }) => {
        if (kind === "away") return away(minute, tier);
        if (kind === "back") return back(minute, tier);
        return kind === "copy" ? copy(minute, begun(backup), tier) : deletion(minute, begun(backup), tier);
      });
      const time = { from: at(0), to: at(END) };
      const found = databaseAvailability(shop(objective), historyOf(events), time);
      const first = ordered.find(({ kind }) => kind === "copy" || kind === "delete")?.minute ?? END;

      let good = 0;
      let known = 0;
      const copies = new Map<string, number>();
      const gone = new Set<string>();
      let next = 0;
      for (let minute = -40; minute < END; minute++) {
        for (; next < ordered.length && (ordered[next]?.minute ?? END) <= minute; next++) {
          const { kind, tier = "", backup = 0 } = ordered[next] ?? { kind: "none" };
          if (kind === "copy") copies.set(`${tier} ${backup}`, begun(backup));
          if (kind === "delete") copies.delete(`${tier} ${backup}`);
          if (kind === "away") gone.add(tier);
          if (kind === "back") gone.delete(tier);
        }
        if (minute < 0 || minute < first) continue;
        known++;
        const has = (tier: string) =>
          !gone.has(tier) && [...copies].some(([name, start]) => name.startsWith(tier) && minute < start + objective);
        if (TIERS.every(has)) good++;
      }
      expect(minutesOf(found.known)).toBe(known);
      expect(minutesOf(found.good)).toBe(good);
    }),
    { numRuns: 300 },
  );
});

test("a site is available while all are of which something is known", () => {
  const span = (from: number, to: number) => [{ from: at(from), to: at(to) }];
  const site = siteAvailability([
    { known: span(0, 100), good: span(0, 60), unreachable: span(60, 70) },
    { known: span(50, 100), good: span(55, 100), unreachable: [] },
  ]);
  expect(site.known).toEqual(span(0, 100));
  expect(site.good).toEqual([...span(0, 50), ...span(55, 60)]);
  expect(site.unreachable).toEqual(span(60, 70));
});

describe("the objective", () => {
  const known = (to: number, bad: number) => ({
    known: [{ from: at(0), to: at(to) }],
    good: [{ from: at(bad), to: at(to) }],
    unreachable: [],
  });
  test.each([
    ["met: all is known", known(1000, 0), "met"],
    ["met, whatever the rest was", known(950, 0), "met"],
    ["not known yet: the rest decides", known(500, 20), "unknown"],
    ["missed, whatever the rest was", known(500, 101), "missed"],
    ["not known where nothing is", { known: [], good: [], unreachable: [] }, "unknown"],
  ] as const)("%s", (_, available, verdict) => {
    expect(verdictOf(available, window, 0.9)).toBe(verdict);
  });
});
