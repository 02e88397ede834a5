import { describe, expect, test } from "@jest/globals";
import { isSettled, type RunStatus, type StageStatus } from "./runs.ts";

type State = StageStatus["state"];

function run(dump: State, encrypt?: State, copy?: State): RunStatus {
  const stages = [
    ["dump", dump],
    ["encrypt", encrypt],
    ["cloud-upload", copy],
  ] as const;
  return {
    runId: "20261123t020000z-7f3k9xq2",
    database: "shop",
    backupId: null,
    stages: stages.flatMap(([stage, state]) =>
      state === undefined
        ? []
        : [
            {
              stage,
              tier: stage === "cloud-upload" ? "cloud" : null,
              state,
              attempts: 1,
              progress: null,
              problem: null,
              startedAt: null,
              finishedAt: null,
            },
          ],
    ),
  };
}

describe("isSettled", () => {
  test.each<[string, RunStatus]>([
    ["all is complete", run("completed", "completed", "completed")],
    ["a copy failed for good", run("completed", "completed", "failed")],
    ["the dump failed for good, whatever its followers do", run("failed", "active", "waiting")],
    ["the encryption failed for good after the dump was through", run("completed", "failed", "active")],
  ])("is true where %s", (_what, status) => expect(isSettled(status)).toBe(true));

  test.each<[string, RunStatus]>([
    ["the dump alone is known yet", run("completed")],
    ["a copy is tried again", run("completed", "completed", "retrying")],
    ["a copy has not begun", run("completed", "completed", "waiting")],
    ["the dump is tried again, which gave up the encryption of its first attempt", run("retrying", "failed", "failed")],
    ["the dump's worker died, and another one is about to take it", run("active", "failed", "failed")],
  ])("is false where %s", (_what, status) => expect(isSettled(status)).toBe(false));
});
