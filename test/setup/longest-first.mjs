import Sequencer from "@jest/test-sequencer";

/**
 * What takes minutes begins first, so that the other suites run beside it: on a machine that has no timings of earlier runs
 * jest begins the smallest file last, and waits for it alone.
 */
const LONGEST = ["test/simulation.real.test.ts", "test/robustness.real.test.ts", "test/docs-tasks.real.test.ts"];

export default class LongestFirst extends Sequencer {
  sort(tests) {
    const sorted = super.sort(tests);
    const isLong = ({ path }) => LONGEST.some((name) => path.endsWith(`/${name}`));
    return [...sorted.filter(isLong), ...sorted.filter((test) => !isLong(test))];
  }
}
