import { spawnSync } from "node:child_process";
import path from "node:path";
import { describe, expect, test } from "@jest/globals";
import { makeTempDir } from "@trivault/testkit";

const ROOT = path.dirname(import.meta.dirname);

/** The starter on a machine whose PATH holds nothing at all, without a terminal. */
async function start(args: readonly string[]) {
  await using empty = await makeTempDir();
  const script = path.join(ROOT, "scripts/run.mjs");
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
    encoding: "utf8",
    env: { PATH: empty.path },
    stdio: ["ignore", "pipe", "pipe"],
  });
  return { status, stdout, stderr };
}

describe("the starter", () => {
  test.each([[], ["--once"], ["tests"], ["constructor"]])("shows its usage (%j)", async (...args) => {
    const { status, stdout, stderr } = await start(args.filter((arg) => typeof arg === "string"));
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toContain("demo|test|bench|simulate|robustness");
  });

  test.each(["demo", "test", "bench", "simulate", "robustness"])(
    "says what %s misses and why, on stderr alone, and does not go on",
    async (command) => {
      const { status, stdout, stderr } = await start([command, "--yes"]);
      expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
      expect(stderr).toMatch(/redis-server +holds the queues/);
      expect(stderr).toContain("package manager");
      expect(/^ {2}age /m.test(stderr)).toBe(command === "test" || command === "bench");
      expect(/^ {2}rclone /m.test(stderr)).toBe(command === "test" || command === "bench");
    },
  );
});
