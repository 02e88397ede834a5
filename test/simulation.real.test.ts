import { expect, test } from "@jest/globals";
import { simulate } from "./simulation/simulate.ts";

const seed = Number(process.env["SIMULATION_SEED"] ?? 4);

/** The small form: two days that change, one rule of each kind at its end. `npm run simulate` is two days of a hundred databases. */
test(`nine slots of three databases, workers killed and Redis restarted (seed ${seed}): one run per slot, retention exact, tiers equal`, async () => {
  const result = await simulate({
    databases: 3,
    slots: 9,
    workers: 2,
    seed,
    // Without summer time: each slot is six hours after the one before, and the first is the second of its day.
    rules: { timeZone: "Asia/Tokyo", everyHours: 6, maintenanceEvery: "3h", hourly: 2, daily: 2 },
    startsAtHour: 21,
    rate: 14_400,
    accidents: { perSlot: 1, withinSeconds: 2.5 },
    say: () => undefined,
  });
  expect(result.problems).toEqual([]);
  // Nothing is left of the first day; of the second its last backup; and the newest two.
  expect(result).toMatchObject({ slots: 9, runs: 27, kept: 9 });
  for (const times of Object.values(result.accidents)) expect(times).toBeGreaterThan(0);
}, 900_000);
