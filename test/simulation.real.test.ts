import { expect, test } from "@jest/globals";
import { simulate } from "./simulation/simulate.ts";

const seed = Number(process.env["SIMULATION_SEED"] ?? Date.now() % 100_000);

test(`thirty hours of four databases, workers killed and Redis restarted at random (seed ${seed}): one run per slot, retention exact, tiers equal`, async () => {
  const result = await simulate({
    databases: 4,
    hours: 30,
    workers: 2,
    seed,
    rate: 2400,
    accidentEverySeconds: 8,
    say: () => undefined,
  });
  expect(result.problems).toEqual([]);
  expect(result).toMatchObject({ slots: 30, runs: 120 });
  expect(result.workersKilled + result.redisRestarts).toBeGreaterThan(0);
}, 420_000);
