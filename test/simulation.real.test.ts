import { expect, test } from "@jest/globals";
import { simulate } from "./simulation/simulate.ts";

const seed = Number(process.env["SIMULATION_SEED"] ?? Date.now() % 100_000);

test(`twenty-six hours of three databases, workers killed and Redis restarted at random (seed ${seed}): one run per slot, retention exact, tiers equal`, async () => {
  const result = await simulate({
    databases: 3,
    hours: 26,
    workers: 2,
    seed,
    rate: 2400,
    accidentEverySeconds: 8,
    say: () => undefined,
  });
  expect(result.problems).toEqual([]);
  expect(result).toMatchObject({ slots: 26, runs: 78 });
  expect(result.workersKilled + result.redisRestarts).toBeGreaterThan(0);
}, 900_000);
