// Runs the README's own commands on a clean clone, as a newcomer would: nothing is installed before `npm test` installs it.
// Goes on after a failure, so that one run shows everything. Ends with where the time went and the line "N passed, N failed".
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const TIERS = ["local", "remote", "cloud"];
const MINUTES = 60_000;

const scratch = mkdtempSync(path.join(tmpdir(), "tv-ci-"));
const failures = [];
const times = [];
let tests = { passed: 0, failed: 0 };

/** Runs one step; what it returns, or throws, are its failures. */
function step(name, run) {
  const start = Date.now();
  console.log(`\n::: ${name}`);
  let problems;
  try {
    problems = run();
  } catch (error) {
    problems = [error instanceof Error ? error.message : String(error)];
  }
  const seconds = ((Date.now() - start) / 1000).toFixed(1);
  times.push(`${seconds.padStart(8)} s  ${name}`);
  for (const problem of problems) failures.push(`${name}: ${problem}`);
}

function command(line, { minutes, stdout = "inherit" }) {
  const [program, ...args] = line.split(" ");
  const {
    status,
    signal,
    error,
    stdout: output,
  } = spawnSync(program, args, {
    cwd: ROOT,
    env: { ...process.env, CI: "true" },
    stdio: ["ignore", stdout, "inherit"],
    timeout: minutes * MINUTES,
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status === 0) return { problems: [], output };
  return { problems: [`\`${line}\` ${error?.message ?? `ended with ${signal ?? `status ${status}`}`}`], output };
}

step("npm test", () => {
  const file = path.join(scratch, "jest.json");
  const { problems } = command(`npm test -- --json --outputFile=${file}`, { minutes: 60, stdout: "ignore" });
  if (!existsSync(file)) return [...problems, "jest wrote no results"];
  const results = JSON.parse(readFileSync(file, "utf8"));
  tests = { passed: results.numPassedTests, failed: results.numFailedTests + results.numRuntimeErrorTestSuites };
  if (tests.failed > 0) problems.push(`${tests.failed} tests or suites failed`);
  if (results.numPendingTests + results.numTodoTests > 0) problems.push(`tests were skipped: ${skipped(results)}`);
  if (results.numTotalTests === 0) problems.push("no test was executed");
  return problems;
});

for (const check of ["format:check", "lint", "types"]) {
  step(`npm run ${check}`, () => command(`npm run ${check}`, { minutes: 10 }).problems);
}

if (existsSync(path.join(ROOT, "scripts/demo.ts"))) {
  step("npm run demo -- --once --json", () => {
    const { problems, output } = command("npm run demo -- --once --json", { minutes: 20, stdout: "pipe" });
    console.log(output.toString());
    return problems.length > 0 ? problems : demoProblems(JSON.parse(output.toString()));
  });
}

step("npm run bench, small", () => {
  const file = path.join(scratch, "bench.json");
  const line = `npm run bench -- --size 20MB --runs 1 --setting loopback --json ${file}`;
  const { problems } = command(line, { minutes: 15 });
  if (problems.length > 0) return problems;
  // The page of the results is made of it.
  const page = command(`node_modules/.bin/node bench/page.ts --print ${file}`, { minutes: 1 });
  return [...page.problems, ...benchProblems(JSON.parse(readFileSync(file, "utf8")))];
});

step("npm run simulate, small", () => command("npm run simulate -- --databases 2 --hours 2", { minutes: 15 }).problems);

rmSync(scratch, { recursive: true, force: true });
console.log(`\nWhere the time went:\n${times.join("\n")}`);
for (const failure of failures) console.log(`FAILED  ${failure}`);
// A step that failed without a failed test must show in the numbers too.
const failed = failures.length === 0 ? 0 : Math.max(tests.failed, failures.length);
console.log(`\n${tests.passed} passed, ${failed} failed`);
process.exitCode = failures.length === 0 && tests.passed > 0 ? 0 : 1;

function demoProblems({ tiers = [] }) {
  const names = tiers.map(({ tier }) => tier);
  if (names.join() !== TIERS.join()) return [`tiers are ${names.join()}, expected ${TIERS.join()}`];
  return tiers
    .filter(({ bytes, seconds, verified, equal }) => !(bytes > 0 && seconds > 0 && verified === true && equal === true))
    .map((tier) => `a tier is not in order: ${JSON.stringify(tier)}`);
}

/** What the figures are depends on the machine; that each was measured does not. */
function benchProblems({ settings = [], cryptoFigures = [], startFigures = [] }) {
  const figures = [...settings.flatMap((setting) => setting.figures), ...cryptoFigures, ...startFigures];
  const bad = figures.filter(({ value }) => !Number.isFinite(value));
  const measured = settings.flatMap(({ rounds }) => rounds.flatMap(Object.values)).filter((part) => part !== null);
  if (measured.length !== 3) return [`${measured.length} parts of a round instead of backups, restores and puts`];
  if (settings.length !== 1 || figures.length < 10) return [`${figures.length} figures of ${settings.length} settings`];
  return bad.map((figure) => `a figure is not one: ${JSON.stringify(figure)}`);
}

function skipped({ testResults }) {
  const all = testResults.flatMap(({ assertionResults }) => assertionResults);
  const idle = all.filter(({ status }) => status !== "passed" && status !== "failed");
  return idle.map(({ fullName }) => fullName).join("; ");
}
