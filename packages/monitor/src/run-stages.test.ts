import { expect, test } from "@jest/globals";
import type { StageStatus } from "@trivault/queue";
import { type StageSources, stagesOf } from "./run-stages.ts";
import type { RunStage } from "./views.ts";

const ID = "20261123t020000z-7f3k9xq2";
const NOW = new Date("2026-11-23T02:01:00Z");

function job(stage: StageStatus["stage"], more: Partial<StageStatus>): StageStatus {
  const tier = stage === "cloud-upload" ? "cloud" : null;
  const none = { attempts: 0, progress: null, problem: null, startedAt: null, finishedAt: null };
  return { id: tier === null ? ID : `${ID}.${tier}`, stage, tier, state: "waiting", ...none, ...more };
}

function ended(stage: RunStage["stage"], tier: string | null, outcome: RunStage["outcome"]): RunStage {
  return { stage, tier, outcome, endedAt: NOW.toISOString(), seconds: 9, bytes: 100, attempts: 1 };
}

const sources: StageSources = { jobs: null, recorded: null, tiers: ["cloud"], expected: 1000, now: NOW };

test("nothing is shown of a backup that neither queue nor record knows", () => {
  expect(stagesOf(sources)).toEqual([]);
});

test("a stage that moves is shown by its job, with the size of the backup before it", () => {
  const startedAt = new Date(NOW.getTime() - 30_000);
  const active = job("dump", { state: "active", attempts: 1, startedAt, progress: { bytes: 400, segments: 2 } });
  const [dump, encrypt, copy] = stagesOf({ ...sources, jobs: { stages: [active] } });
  expect(dump).toMatchObject({ state: "active", bytes: 400, segments: 2, seconds: 30, job: { queue: "dump", id: ID } });
  expect(dump?.total).toEqual({ bytes: 1000, guessed: true });
  expect([encrypt, copy].map((stage) => [stage?.state, stage?.job])).toEqual([
    ["waiting", null],
    ["waiting", null],
  ]);
});

test("the audit log shows what the queue has forgotten, and why it failed", () => {
  const stages = [ended("dump", null, "ok"), ended("encrypt", null, "ok"), ended("copy", "cloud", "failed")];
  const recorded = { stages, problem: { code: "STORE_UNREACHABLE", message: "It is away." } };
  const forgotten = { stages: [job("dump", { state: "completed" }), job("cloud-upload", {})] };
  for (const jobs of [null, forgotten]) {
    const [dump, encrypt, copy] = stagesOf({ ...sources, recorded, jobs });
    expect(dump).toMatchObject({ state: "completed", bytes: 100 });
    expect(encrypt).toMatchObject({ state: "completed", bytes: 100, seconds: 9 });
    if (jobs === null) expect(copy).toMatchObject({ state: "failed", bytes: null, problem: "It is away." });
    else expect(copy).toMatchObject({ state: "waiting", problem: null });
  }
});

test("a copy that arrived is not shown as waiting, where its job is not there any more", () => {
  const recorded = { stages: [ended("copy", "cloud", "ok")], problem: null };
  const jobs = { stages: [job("dump", { state: "completed" }), job("cloud-upload", {})] };
  expect(stagesOf({ ...sources, recorded, jobs }).at(-1)).toMatchObject({
    stage: "copy",
    state: "completed",
    bytes: 100,
  });
});
