import { describe, expect, test } from "@jest/globals";
import type { CopyState, RetentionPolicy } from "@trivault/core";
import fc from "fast-check";
import { planRetention } from "./plan.ts";
import type { Decision, PlanBackup, PlanInput, PlanTier } from "./types.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NAMES = ["local", "remote", "cloud"] as const;
const ZONES = ["UTC", "Europe/Paris", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia"];

const few = fc.integer({ min: 0, max: 5 });
const policies: fc.Arbitrary<RetentionPolicy> = fc.record({
  last: few,
  hourly: fc.integer({ min: 0, max: 30 }),
  daily: few,
  weekly: few,
  monthly: few,
  yearly: few,
  withinSeconds: fc.option(fc.integer({ min: 1, max: 60 * 24 * 3600 }), { freq: 2 }),
  atLeast: few,
});
const tiers: fc.Arbitrary<PlanTier[]> = fc.tuple(
  ...NAMES.map((name) =>
    fc.record({
      name: fc.constant<string>(name),
      policy: fc.option(policies, { freq: 8 }),
      known: fc.integer({ min: 0, max: 3 }).map((n) => n > 0),
    }),
  ),
);

/** Mostly a schedule; sometimes two in a minute, a pause, a clock that jumps by years, ahead or back. */
const steps = fc.oneof(
  { weight: 12, arbitrary: fc.constant(HOUR) },
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 60 }).map((minutes) => minutes * 60_000) },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 90 }).map((days) => days * DAY) },
  { weight: 1, arbitrary: fc.integer({ min: -6, max: 6 }).map((years) => years * 366 * DAY) },
);
const states = fc.oneof(
  { weight: 10, arbitrary: fc.constant<CopyState | null>("complete") },
  { weight: 3, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: fc.constantFrom<CopyState>("damaged", "untrusted", "partial", "unknown") },
);
/**
 * Good ones and tiny junk. With three sizes, each tiny against the next, more generous rules may keep others: "tiny against"
 * does not carry over, so a middle one that is kept may displace a large one that a small one did not.
 */
const sizes = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 900, max: 1100 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 50 }) },
);
interface Entry {
  readonly step: number;
  readonly bytes: number;
  readonly repeat: number;
  readonly copies: readonly (CopyState | null)[];
  readonly keep: string | null;
}
const entries: fc.Arbitrary<Entry> = fc.record({
  step: steps,
  bytes: sizes,
  repeat: fc.oneof({ weight: 8, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.integer({ min: 2, max: 30 }) }),
  copies: fc.tuple(states, states, states),
  keep: fc.integer({ min: 0, max: 25 }).map((n) => (n === 1 ? "lawsuit" : null)),
});
const START = Date.parse("2026-03-01T00:00:00Z");

function history(given: readonly Entry[]): PlanBackup[] {
  let time = START;
  return given
    .flatMap((entry) =>
      Array.from({ length: entry.repeat }, (_, i) => (i === 0 ? entry : { ...entry, step: HOUR / 6 })),
    )
    .map(({ step, bytes, copies, keep }, index) => {
      time += Math.abs(time + step - START) > 60 * 366 * DAY ? HOUR : step;
      const stamp = new Date(time).toISOString().slice(0, 19).replaceAll(/[-:]/g, "").toLowerCase();
      const held = NAMES.flatMap((name, i) => (copies[i] ? [[name, copies[i]] as const] : []));
      const id = `${stamp}z-${String(index).padStart(8, "0")}`;
      return { id, startedAt: new Date(time), bytes, copies: Object.fromEntries(held), keep };
    });
}

const inputs: fc.Arbitrary<PlanInput> = fc
  .record({
    given: fc.array(entries, { maxLength: 40 }),
    tiers,
    timeZone: fc.constantFrom(...ZONES),
    ahead: fc.oneof(
      fc.constant(0),
      fc.constant(HOUR),
      fc.integer({ min: -8, max: 8 }).map((years) => years * 366 * DAY),
    ),
    accepted: fc.option(fc.nat(60), { freq: 3 }),
  })
  .map(({ given, ahead, accepted, ...rest }) => {
    const backups = history(given);
    const now = new Date(Math.max(START, ...backups.map(({ startedAt }) => startedAt.getTime())) + ahead);
    const sizeAcceptedFrom = accepted === null ? null : (backups[accepted]?.id ?? null);
    return { ...rest, database: "shop", now, backups: withoutUnknown(backups, rest.tiers), sizeAcceptedFrom };
  });

/** What lies on a tier that could not be looked at is not known. */
function withoutUnknown(backups: readonly PlanBackup[], given: readonly PlanTier[]): PlanBackup[] {
  const known = new Set(given.filter((tier) => tier.known).map(({ name }) => name));
  return backups
    .map((backup) => ({
      ...backup,
      copies: Object.fromEntries(Object.entries(backup.copies).filter(([name]) => known.has(name))),
    }))
    .filter(({ copies }) => Object.keys(copies).length > 0);
}

const at = ({ backupId, tier }: Decision) => `${backupId} on ${tier}`;
const of = (decisions: readonly Decision[], ...actions: Decision["action"][]) =>
  decisions.filter(({ action }) => actions.includes(action));
const decisionsOf = (input: PlanInput) => planRetention(input).decisions;

/** Carries out those decisions of a plan that `does` takes. */
function applied(input: PlanInput, does: (decision: Decision, index: number) => boolean = () => true): PlanInput {
  const copies = new Map(input.backups.map(({ id, copies: held }) => [id, { ...held }]));
  for (const [index, decision] of decisionsOf(input).entries()) {
    const held = copies.get(decision.backupId);
    if (!held || !does(decision, index)) continue;
    if (decision.action === "delete") delete held[decision.tier];
    if (decision.action === "copy") held[decision.tier] = "complete";
  }
  const backups = input.backups.map((backup) => ({ ...backup, copies: copies.get(backup.id) ?? {} }));
  return { ...input, backups: backups.filter((backup) => Object.keys(backup.copies).length > 0) };
}

const isFuture = (input: PlanInput, { startedAt }: PlanBackup) => startedAt.getTime() > input.now.getTime() + DAY;
const runs = { numRuns: 300 };

describe("whatever the history, the clocks and the policies", () => {
  test("only complete copies of known tiers go: none that is marked, or dated in the future", () => {
    fc.assert(
      fc.property(inputs, (input) => {
        for (const { backupId, tier } of of(decisionsOf(input), "delete")) {
          const backup = input.backups.find(({ id }) => id === backupId);
          const where = input.tiers.find(({ name }) => name === tier);
          expect(backup?.copies[tier]).toBe("complete");
          expect(where?.known).toBe(true);
          expect(where?.policy).not.toBeNull();
          expect(backup?.keep).toBeNull();
          expect(backup && isFuture(input, backup)).toBe(false);
        }
      }),
      runs,
    );
  });

  test("the newest complete copies on a tier never go, nor the newest of a normal size", () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const gone = new Set(of(decisionsOf(input), "delete").map(at));
        for (const { name, policy } of input.tiers) {
          const here = input.backups
            .filter((backup) => backup.copies[name] === "complete" && !isFuture(input, backup))
            .toSorted((a, b) => (a.id < b.id ? 1 : -1));
          const floor = Math.max(1, policy?.atLeast ?? 1);
          const good = here.filter(({ bytes }) => bytes >= 900);
          const believed = input.sizeAcceptedFrom === null ? good : [];
          for (const { id } of [...here.slice(0, floor), ...believed.slice(0, floor)]) {
            expect(gone).not.toContain(`${id} on ${name}`);
          }
        }
      }),
      runs,
    );
  });

  test("nothing goes that another tier shall have and has not got", () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const decisions = decisionsOf(input);
        // What a tier that could not be looked at would want, if it held nothing.
        const empty = input.tiers.map((tier) => ({ ...tier, known: true }));
        const missing = of(decisionsOf({ ...input, tiers: empty }), "copy").map(({ backupId }) => backupId);
        const gone = of(decisions, "delete").map(({ backupId }) => backupId);
        expect(gone.filter((id) => missing.includes(id))).toEqual([]);
      }),
      runs,
    );
  });

  test("carried out, a plan leaves nothing to do, and every tier holds all that it shall", () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const wanted = of(decisionsOf(input), "copy").map(at);
        let end = input;
        for (let round = 0; round < 3; round++) end = applied(end);
        expect(of(decisionsOf(end), "delete", "copy")).toEqual([]);
        const held = end.backups.flatMap(({ id, copies }) => Object.keys(copies).map((name) => `${id} on ${name}`));
        expect(wanted.filter((copy) => !held.includes(copy))).toEqual([]);
      }),
      runs,
    );
  });

  test("what was deleted is never copied back, though plans are carried out in part and tiers come and go", () => {
    const rounds = fc.array(fc.tuple(fc.array(fc.boolean(), { minLength: 1, maxLength: 7 }), fc.nat(2)), {
      minLength: 2,
      maxLength: 6,
    });
    fc.assert(
      fc.property(inputs, rounds, (input, order) => {
        const gone = new Set<string>();
        let world = { ...input, tiers: input.tiers.map((tier) => ({ ...tier, known: true })) };
        for (const [mask, down] of order) {
          const seen = world.tiers.map((tier, index) => ({ ...tier, known: index !== down }));
          const view = { ...world, tiers: seen, backups: withoutUnknown(world.backups, seen) };
          const does = (_: Decision, index: number) => mask[index % mask.length] ?? true;
          for (const [index, decision] of decisionsOf(view).entries()) {
            if (decision.action === "copy") expect(gone).not.toContain(at(decision));
            if (decision.action === "delete" && does(decision, index)) gone.add(at(decision));
          }
          const after = new Map(applied(view, does).backups.map(({ id, copies }) => [id, copies]));
          const downName = seen[down]?.name ?? "";
          const backups = world.backups.map((backup) => {
            const unseen = backup.copies[downName];
            return { ...backup, copies: { ...after.get(backup.id), ...(unseen ? { [downName]: unseen } : {}) } };
          });
          world = { ...world, backups: backups.filter(({ copies }) => Object.keys(copies).length > 0) };
        }
      }),
      runs,
    );
  });

  test("a more generous policy keeps no less", () => {
    const more = fc.tuple(few, few, few, few, few, few, few, fc.nat(10 * 24 * 3600));
    fc.assert(
      fc.property(inputs, more, (input, [last, hourly, daily, weekly, monthly, yearly, atLeast, within]) => {
        const generous = ({ policy, ...tier }: PlanTier): PlanTier => ({
          ...tier,
          policy: policy && {
            last: policy.last + last,
            hourly: policy.hourly + hourly,
            daily: policy.daily + daily,
            weekly: policy.weekly + weekly,
            monthly: policy.monthly + monthly,
            yearly: policy.yearly + yearly,
            atLeast: policy.atLeast + atLeast,
            withinSeconds: policy.withinSeconds === null ? null : policy.withinSeconds + within,
          },
        });
        const kept = of(decisionsOf(input), "keep", "copy").map(at);
        const stays = new Set(of(decisionsOf({ ...input, tiers: input.tiers.map(generous) }), "keep", "copy").map(at));
        expect(kept.filter((copy) => !stays.has(copy))).toEqual([]);
      }),
      runs,
    );
  });
});
