import { describe, expect, test } from "@jest/globals";
import type { RetentionPolicy } from "@trivault/core";
import { planRetention } from "./plan.ts";
import type { Decision, PlanBackup, PlanInput, PlanTier } from "./types.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

function policy(changes: Partial<RetentionPolicy>): RetentionPolicy {
  const nothing = { last: 0, hourly: 0, daily: 0, weekly: 0, monthly: 0, yearly: 0, withinSeconds: null, atLeast: 1 };
  return { ...nothing, ...changes };
}

function idAt(time: number, suffix = "00000000"): string {
  return `${new Date(time).toISOString().slice(0, 19).replaceAll(/[-:]/g, "").toLowerCase()}z-${suffix}`;
}

function backup(time: number | string, changes: Partial<PlanBackup> = {}): PlanBackup {
  const at = typeof time === "string" ? Date.parse(time) : time;
  return { id: idAt(at), startedAt: new Date(at), bytes: 1000, copies: { local: "complete" }, keep: null, ...changes };
}

const tier = (name: string, rules: RetentionPolicy | null, known = true): PlanTier => ({ name, policy: rules, known });

function plan(backups: readonly PlanBackup[], tiers: readonly PlanTier[], changes: Partial<PlanInput> = {}) {
  const newest = Math.max(...backups.map(({ startedAt }) => startedAt.getTime()));
  const given = { database: "shop", timeZone: "UTC", now: new Date(newest), sizeAcceptedFrom: null, tiers, backups };
  return planRetention({ ...given, ...changes });
}

/** `local 2026-11-20T14 keep daily 2026-11-20` */
function reasonsOf({ decisions }: { decisions: readonly Decision[] }): string[] {
  return decisions.map(({ backupId, tier: name, action, reasons }) => {
    return `${name} ${backupId.slice(0, 11)} ${action}: ${reasons.join(", ")}`;
  });
}

describe("the reasons", () => {
  test("every rule by name, the newest first", () => {
    const backups = ["2025-12-31T23:10Z", "2026-11-19T14:00Z", "2026-11-20T13:00Z", "2026-11-20T14:00Z"].map((time) =>
      backup(time.replace("Z", ":00Z")),
    );
    const rules = policy({ last: 2, hourly: 1, daily: 2, weekly: 1, monthly: 1, yearly: 2, withinSeconds: 86_400 });
    expect(reasonsOf(plan(backups, [tier("local", rules)]))).toEqual([
      "local 20261120t14 keep: one of the newest 2, hourly 2026-11-20 14:00, daily 2026-11-20, weekly 2026-W47, " +
        "monthly 2026-11, yearly 2026, within 1 day of the newest",
      "local 20261120t13 keep: one of the newest 2, within 1 day of the newest",
      "local 20261119t14 keep: daily 2026-11-19, within 1 day of the newest",
      "local 20251231t23 keep: yearly 2025",
    ]);
    expect(reasonsOf(plan(backups, [tier("local", policy({}))]))).toEqual([
      "local 20261120t14 keep: the newest",
      "local 20261120t13 delete: beyond every rule (at least 1)",
      "local 20261119t14 delete: beyond every rule (at least 1)",
      "local 20251231t23 delete: beyond every rule (at least 1)",
    ]);
  });

  test("9.A1 a copy that could not be read is neither copied over nor deleted, and nothing relies on it", () => {
    const [old, newest] = [1, 2].map((day) =>
      backup(`2026-11-0${day}T00:00:00Z`, { copies: { local: "complete", remote: "unknown" } }),
    ) as [PlanBackup, PlanBackup];
    expect(
      reasonsOf(plan([old, newest], [tier("local", policy({ last: 1 })), tier("remote", policy({ last: 2 }))])),
    ).toEqual([
      "local 20261102t00 keep: the newest, remote shall have it and has not got it yet",
      "remote 20261102t00 keep: could not be read: nothing is known of it",
      "local 20261101t00 keep: remote shall have it and has not got it yet",
      "remote 20261101t00 keep: could not be read: nothing is known of it",
    ]);
  });

  test("what another tier waits for, what is marked, and what is no copy", () => {
    const [a, b, c, d] = [1, 2, 3, 4].map((day) => backup(`2026-11-0${day}T00:00:00Z`)) as [
      PlanBackup,
      ...PlanBackup[],
    ] as [PlanBackup, PlanBackup, PlanBackup, PlanBackup];
    const tiers = [
      tier("local", policy({})),
      tier("remote", policy({ last: 2 })),
      tier("cloud", policy({ last: 3 }), false),
    ];
    const backups = [
      { ...a, keep: "lawsuit 4711", copies: { local: "complete" as const, remote: "damaged" as const } },
      { ...b, copies: { local: "complete" as const, remote: "complete" as const } },
      { ...c, copies: { local: "complete" as const, remote: "partial" as const } },
      { ...d, copies: { remote: "complete" as const } },
      backup("2026-11-05T00:00:00Z", { copies: { local: "untrusted", remote: "partial" } }),
    ];
    expect(reasonsOf(plan(backups, tiers))).toEqual([
      "local 20261105t00 keep: its manifest is not to be trusted: no rule deletes it",
      "remote 20261105t00 keep: without a manifest: being made, or left to the sweeper",
      "local 20261104t00 copy: the newest",
      "remote 20261104t00 keep: one of the newest 2, local shall have it and has not got it yet, " +
        "cloud shall have it and could not be looked at",
      "local 20261103t00 keep: the newest (of the copies here), remote shall have it and has not got it yet, " +
        "cloud shall have it and could not be looked at",
      "remote 20261103t00 copy: one of the newest 2",
      "local 20261102t00 keep: cloud shall have it and could not be looked at",
      "remote 20261102t00 keep: one of the newest 2 (of the copies here), cloud shall have it and could not be looked at",
      "local 20261101t00 keep: kept by hand: lawsuit 4711, remote shall have it and has not got it yet, " +
        "cloud shall have it and could not be looked at",
      "remote 20261101t00 copy: kept by hand: lawsuit 4711",
    ]);
  });
});

describe("clocks that are wrong", () => {
  const days = Array.from({ length: 40 }, (_, day) => backup(Date.parse("2026-10-01T02:00:00Z") + day * DAY));
  const rules = policy({ daily: 7, withinSeconds: 30 * 86_400, atLeast: 2 });
  const kept = (backups: readonly PlanBackup[], now: string) => {
    const { decisions, warnings } = plan(backups, [tier("local", rules)], { now: new Date(now) });
    return { ids: decisions.filter(({ action }) => action === "keep").map(({ backupId }) => backupId), warnings };
  };

  test("what is dated in the future stays, displaces nothing, and is reported", () => {
    const ahead = ["2036-01-01", "2036-01-02", "2036-01-03"].map((day) => backup(`${day}T02:00:00Z`));
    const right = kept(days, "2026-11-10T00:00:00Z");
    const wrong = kept([...days, ...ahead], "2026-11-10T00:00:00Z");
    expect(wrong.ids).toEqual([...ahead.map(({ id }) => id).toReversed(), ...right.ids]);
    expect(wrong.warnings).toEqual([
      expect.stringMatching(/^shop: 3 backups are dated in the future \(up to 2036-01-03/),
    ]);
  });

  test("a clock that jumps ten years ahead empties nothing", () => {
    const before = kept(days, "2026-11-10T00:00:00Z");
    const { ids, warnings } = kept([...days, backup("2036-11-10T02:00:00Z")], "2036-11-10T02:00:00Z");
    expect(ids).toEqual([idAt(Date.parse("2036-11-10T02:00:00Z")), ...before.ids]);
    expect(warnings).toEqual([]);
  });

  test("a clock that is years behind deletes nothing", () => {
    expect(kept(days, "2019-01-01T00:00:00Z").ids).toHaveLength(days.length);
  });
});

describe("a flood of tiny junk", () => {
  const start = Date.parse("2026-11-01T00:00:00Z");
  const good = Array.from({ length: 48 }, (_, hour) => backup(start + hour * HOUR, { bytes: 1000 + hour }));
  const junk = Array.from({ length: 1000 }, (_, i) => backup(start + 48 * HOUR + i * 600_000, { bytes: 90 }));
  const rules = policy({ last: 2, hourly: 24, daily: 9, withinSeconds: 86_400, atLeast: 2 });
  const keptIds = (backups: readonly PlanBackup[], sizeAcceptedFrom: string | null = null) =>
    plan(backups, [tier("local", rules)], { sizeAcceptedFrom })
      .decisions.filter(({ action }) => action === "keep")
      .map(({ backupId }) => backupId);

  test("displaces nothing good, goes by the same rules itself, and is reported", () => {
    const all = new Set(keptIds([...good, ...junk]));
    expect(new Set(keptIds(good)).difference(all).size).toBe(0);
    expect(all).toEqual(new Set([...keptIds(good), ...keptIds(junk)]));
    const { warnings } = plan([...good, ...junk], [tier("local", rules)]);
    expect(warnings).toEqual([
      expect.stringMatching(
        /1000 backups are of less than a tenth .*keep accept-size --database shop --from 20261103t000000z/,
      ),
    ]);
  });

  test("accepted, it is as good as any other, and nothing is reported", () => {
    const from = junk[0]?.id ?? "";
    const { warnings } = plan([...good, ...junk], [tier("local", rules)], { sizeAcceptedFrom: from });
    expect(warnings).toEqual([]);
    const kept = keptIds([...good, ...junk], from);
    // Only the two days before it are left of the good ones.
    expect(kept.filter((id) => id < from)).toEqual([idAt(start + 47 * HOUR), idAt(start + 23 * HOUR)]);
  });

  test("a database that grew, or shrank by half, is no reason for a warning", () => {
    const sizes = [10, 100, 10_000, 10_000_000, 5_000_000, 2_000_000];
    const backups = sizes.map((bytes, day) => backup(start + day * DAY, { bytes }));
    const { decisions, warnings } = plan(backups, [tier("local", policy({ last: 2 }))]);
    expect(warnings).toEqual([]);
    expect(decisions.map(({ action }) => action)).toEqual(["keep", "keep", "delete", "delete", "delete", "delete"]);
  });
});

test("an hourly stream of 400 days leaves exactly the calendar set", () => {
  const rules = policy({ last: 3, hourly: 48, daily: 14, weekly: 8, monthly: 12, yearly: 5, atLeast: 2 });
  const timeZone = "Europe/Paris";
  const start = Date.parse("2025-09-01T00:07:00Z");
  const all = Array.from({ length: 400 * 24 }, (_, hour) => start + hour * HOUR);
  let held: PlanBackup[] = [];
  let next = 0;
  // Maintenance runs now and then: every 1 to 40 hours.
  for (let pause = 1; next < all.length; pause = (pause * 7) % 41) {
    held.push(...all.slice(next, next + pause).map((time) => backup(time)));
    next += pause;
    const { decisions } = plan(held, [tier("local", rules)], { timeZone });
    const kept = new Set(decisions.filter(({ action }) => action === "keep").map(({ backupId }) => backupId));
    held = held.filter(({ id }) => kept.has(id));
  }
  expect(held.map(({ id }) => id)).toEqual(expectedOf(all, timeZone, rules).map((time) => idAt(time)));
  expect(held.length).toBe(74);
});

/** What the rules say, in the plainest way there is: from all that ever were. Weeks are named by their Monday. */
function expectedOf(times: readonly number[], timeZone: string, rules: RetentionPolicy): number[] {
  const format = new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short", timeStyle: "long" });
  const local = (time: number) => format.format(time);
  const monday = (time: number) => {
    const date = new Date(`${local(time).slice(0, 10)}T00:00:00Z`);
    return date.getTime() - ((date.getUTCDay() + 6) % 7) * DAY;
  };
  const names: [count: number, name: (time: number) => string | number][] = [
    [rules.hourly, (time) => local(time).slice(0, 13) + local(time).slice(19)],
    [rules.daily, (time) => local(time).slice(0, 10)],
    [rules.weekly, monday],
    [rules.monthly, (time) => local(time).slice(0, 7)],
    [rules.yearly, (time) => local(time).slice(0, 4)],
  ];
  const kept = new Set(times.slice(-Math.max(rules.last, rules.atLeast)));
  for (const [count, name] of names) {
    const newest = new Map(times.map((time) => [name(time), time]));
    for (const time of [...newest.values()].slice(count === 0 ? Infinity : -count)) kept.add(time);
  }
  return [...kept].toSorted((a, b) => a - b);
}

test("10,000 backups on three tiers are planned in well under a second", () => {
  const start = Date.parse("2020-01-01T00:00:00Z");
  const copies = { local: "complete", remote: "complete", cloud: "complete" } as const;
  const backups = Array.from({ length: 10_000 }, (_, hour) => backup(start + hour * HOUR, { copies }));
  const rules = policy({ last: 3, hourly: 48, daily: 30, weekly: 8, monthly: 12, yearly: 5, withinSeconds: 604_800 });
  const tiers = ["local", "remote", "cloud"].map((name) => tier(name, rules));
  const begun = process.cpuUsage(); // and not the clock: other tests run beside this one
  const { decisions } = plan(backups, tiers, { timeZone: "America/New_York" });
  const { user, system } = process.cpuUsage(begun);
  expect(decisions).toHaveLength(30_000);
  expect((user + system) / 1e6).toBeLessThan(1);
});
