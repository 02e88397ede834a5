import { expect, test } from "@jest/globals";
import { callCli } from "../apps/cli/src/testing/call-cli.ts";
import { ACCIDENTS } from "./robustness/accidents.ts";
import { ACTIONS } from "./robustness/choose.ts";
import { drive } from "./robustness/drive.ts";
import { everything } from "./robustness/plan.ts";

/** The same decisions in each run of the suite, so that a change is what a failure comes from; `npm run robustness` takes any. */
const seed = Number(process.env["ROBUSTNESS_SEED"] ?? 11);

test(`9.2 every action beside every accident (seed ${seed}): no good copy is lost, nothing crashes, no success is false, and all comes to order`, async () => {
  const lines: string[] = [];
  const say = (line: string) => lines.push(line);
  // As long as it takes, and no command waits longer than it must for what is down.
  const result = await drive({ seed, choose: everything, minutes: 25, patienceMs: 6000, callCli, say });
  if (result.problems.length > 0) process.stderr.write(`${lines.join("\n")}\n`);
  expect(result.problems).toEqual([]);
  const names = (all: readonly { readonly name: string }[]) => new Set(all.map(({ name }) => name));
  expect(new Set(Object.keys(result.actions))).toEqual(names(ACTIONS));
  expect(new Set(Object.keys(result.accidents))).toEqual(names(ACCIDENTS));
}, 1_800_000);
