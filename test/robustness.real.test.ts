import { expect, test } from "@jest/globals";
import { drive } from "./robustness/drive.ts";

/** The same decisions in each run of the suite, so that a change is what a failure comes from; `npm run robustness` takes any. */
const seed = Number(process.env["ROBUSTNESS_SEED"] ?? 11);

test(`9.2 two minutes of random actions and accidents (seed ${seed}): no good copy is lost, nothing crashes, no success is false, and all comes to order`, async () => {
  const lines: string[] = [];
  const { problems, steps } = await drive({ seed, minutes: 2, say: (line) => lines.push(line) });
  if (problems.length > 0) process.stderr.write(`${lines.join("\n")}\n`);
  expect(problems).toEqual([]);
  expect(steps).toBeGreaterThan(0);
}, 1_800_000);
