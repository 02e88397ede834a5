import { appendFileSync, readFileSync } from "node:fs";

/** Where the processes of a test run note what each suite took, a line of JSON each: set by test/setup/suite-costs.mjs. */
const FILE = "TRIVAULT_SUITE_COSTS";

/** Begins to measure; what it returns notes the processor time of this process and of the children that have ended meanwhile. */
export function measureSuite(suite: string): () => void {
  const file = process.env[FILE];
  if (file === undefined) return () => undefined;
  const before = cpuSeconds();
  return () => appendFileSync(file, `${JSON.stringify({ suite, cpuSeconds: cpuSeconds() - before })}\n`);
}

/** utime, stime, cutime and cstime of proc(5), in its hundredths of a second; elsewhere than on Linux without the children. */
function cpuSeconds(): number {
  if (process.platform !== "linux") {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  }
  const stat = readFileSync("/proc/self/stat", "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / 100;
}
