import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import budgets from "./suite-budgets.json" with { type: "json" };

const ROOT = path.resolve(import.meta.dirname, "../..");
const SHOWN = 10;

/**
 * A reporter of jest: names the suites that cost most, and those over their budget, so that a suite does not grow unseen.
 * The measure is processor time, a suite's own and that of the programs it started and waited for, as a busy machine lengthens
 * it least. It only prints: speed is no test, and machines differ. Budgets are in suite-budgets.json, for a machine on which
 * `npm test` takes a quarter of an hour; a suite without one has that of its kind.
 */
export default class SuiteCosts {
  #folder = mkdtempSync(path.join(tmpdir(), "tv-costs-"));
  #file = path.join(this.#folder, "costs.jsonl");

  constructor() {
    process.env.TRIVAULT_SUITE_COSTS = this.#file; // the workers inherit it
  }

  onRunComplete(_contexts, { testResults }) {
    const costs = this.#read();
    rmSync(this.#folder, { recursive: true, force: true });
    const suites = testResults
      .map(({ testFilePath, perfStats: { start, end } }) => ({
        name: path.relative(ROOT, testFilePath),
        cpu: costs.get(testFilePath) ?? 0,
        wall: (end - start) / 1000,
      }))
      .map((suite) => ({ ...suite, budget: budgetOf(suite.name) }))
      .toSorted((a, b) => b.cpu - a.cpu);
    const all = suites.reduce((sum, { cpu }) => sum + cpu, 0);
    const over = suites.filter(({ cpu, budget }) => cpu > budget);
    const shown = new Set([...suites.slice(0, SHOWN), ...over]);
    // On stderr, where jest itself reports.
    process.stderr.write(`\nProcessor time of the suites: ${all.toFixed(0)} s. Most of it:\n`);
    process.stderr.write("     cpu    wall  budget\n");
    for (const { name, cpu, wall, budget } of shown) {
      const figures = [cpu, wall, budget].map((seconds) => `${seconds.toFixed(1)}`.padStart(8)).join("");
      process.stderr.write(`${figures} s  ${name}${cpu > budget ? "  OVER ITS BUDGET" : ""}\n`);
    }
  }

  #read() {
    let text = "";
    try {
      text = readFileSync(this.#file, "utf8");
    } catch {
      // No suite has come to its end.
    }
    const lines = text.split("\n").filter((line) => line !== "");
    return new Map(lines.map((line) => JSON.parse(line)).map(({ suite, cpuSeconds }) => [suite, cpuSeconds]));
  }
}

function budgetOf(name) {
  return budgets.suites[name] ?? (name.endsWith(".real.test.ts") ? budgets.real : budgets.unit);
}
