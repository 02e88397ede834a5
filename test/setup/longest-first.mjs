import path from "node:path";
import Sequencer from "@jest/test-sequencer";
import budgets from "./suite-budgets.json" with { type: "json" };

const ROOT = path.resolve(import.meta.dirname, "../..");

/**
 * What takes minutes begins first, so that the other suites run beside it: on a machine that has no timings of earlier runs
 * jest begins the smallest file last, and waits for it alone. Those are the suites with a budget of their own.
 */
export default class LongestFirst extends Sequencer {
  sort(tests) {
    const budgetOf = ({ path: file }) => budgets.suites[path.relative(ROOT, file)] ?? 0;
    return super.sort(tests).toSorted((a, b) => budgetOf(b) - budgetOf(a));
  }
}
