import { describe, expect, test } from "@jest/globals";
import type { MovingRun, RunStatus, StageStatus } from "@trivault/queue";
import { isMoving, type RunState, type StageState, stateOfBackup, stateOfJobs, stateOfMoving } from "./run-state.ts";
import type { Run } from "./views.ts";

function stageOf(stage: StageStatus["stage"], state: StageState): StageStatus {
  return {
    id: "20261123t020000z-7f3k9xq2",
    stage,
    tier: stage === "cloud-upload" ? "cloud" : null,
    state,
    attempts: 1,
    progress: null,
    problem: null,
    startedAt: null,
    finishedAt: null,
  };
}

function run(dump: StageState | null, encrypt?: StageState, copy?: StageState): Pick<RunStatus, "stages"> {
  const stages = [
    ["dump", dump],
    ["encrypt", encrypt],
    ["cloud-upload", copy],
  ] as const;
  return { stages: stages.flatMap(([stage, state]) => (state ? [stageOf(stage, state)] : [])) };
}

describe("by its jobs a run", () => {
  test.each<[RunState, string, Pick<RunStatus, "stages">]>([
    ["ok", "all is complete", run("completed", "completed", "completed")],
    ["incomplete", "a copy failed for good", run("completed", "completed", "failed")],
    ["failed", "the dump failed for good, whatever its followers do", run("failed", "active", "waiting")],
    ["failed", "the encryption failed for good after the dump was through", run("completed", "failed", "active")],
    ["ok", "its dump is forgotten, and its copy arrived", run(null, undefined, "completed")],
    ["incomplete", "its dump is forgotten, and its copy failed", run(null, undefined, "failed")],
  ])("is %s where %s", (state, _what, jobs) => {
    expect(stateOfJobs(jobs)).toBe(state);
    expect(isMoving(state)).toBe(false);
  });

  test.each<[RunState, string, Pick<RunStatus, "stages">]>([
    ["queued", "the dump has not begun", run("waiting")],
    ["running", "the dump alone is known yet", run("completed")],
    ["running", "a copy is tried again", run("completed", "completed", "retrying")],
    ["running", "a copy has not begun", run("completed", "completed", "waiting")],
    ["running", "the dump is tried again, which gave up its first encryption", run("retrying", "failed", "failed")],
    ["running", "the dump's worker died, and another is about to take it", run("active", "failed", "failed")],
  ])("is %s where %s", (state, _what, jobs) => {
    expect(stateOfJobs(jobs)).toBe(state);
    expect(isMoving(state)).toBe(true);
  });
});

test.each<[StageState, RunState]>([
  ["waiting", "queued"],
  ["retrying", "queued"],
  ["active", "running"],
  ["completed", "ok"],
  ["failed", "failed"],
])("a restore whose job is %s is %s", (state, expected) => {
  const moving: MovingRun = {
    kind: "restore",
    runId: "r",
    database: "shop",
    backupId: null,
    stages: [stageOf("restore", state)],
  };
  expect(stateOfMoving(moving)).toBe(expected);
});

describe("a backup that queue, record and tiers know is", () => {
  const recorded = (state: Run["state"]) => ({ state });
  const copies = (...complete: boolean[]) => complete.map((each) => ({ complete: each, wanted: true }));
  test.each<[RunState, string, Parameters<typeof stateOfBackup>[0]]>([
    ["running", "moved by jobs", { jobs: run("active"), recorded: recorded("failed"), copies: null }],
    [
      "ok",
      "whole by the audit log",
      { jobs: run("completed", "completed", "failed"), recorded: recorded("ok"), copies: null },
    ],
    ["failed", "ended by its jobs", { jobs: run("failed"), recorded: recorded("running"), copies: null }],
    ["running", "begun by the audit log", { jobs: null, recorded: recorded("running"), copies: copies(true) }],
    ["ok", "on every tier", { jobs: null, recorded: null, copies: copies(true, true) }],
    ["incomplete", "on some tiers", { jobs: null, recorded: null, copies: copies(true, false) }],
    ["unknown", "nowhere complete", { jobs: null, recorded: null, copies: copies(false) }],
    ["unknown", "known nowhere", { jobs: null, recorded: null, copies: null }],
  ])("%s where it is %s", (state, _what, evidence) => expect(stateOfBackup(evidence)).toBe(state));

  test("whole without the tiers that it is not wanted on", () => {
    const placed = [...copies(true), { complete: false, wanted: false }];
    expect(stateOfBackup({ jobs: null, recorded: null, copies: placed })).toBe("ok");
  });
});
