import { expect, test } from "@jest/globals";
import type { AuditEvent } from "@trivault/audit";
import type { StageResult } from "@trivault/backup";
import { TrivaultError } from "@trivault/core";
import { memoryStore } from "@trivault/storage";
import { recordedStage, type StageRecord } from "./recorded-stage.ts";

const stage = {
  stage: "copy",
  database: "shop",
  backupId: "20261123t020000z-7f3k9xq2",
  from: "local",
  to: "cloud",
} as const;
const event = {
  action: "backup.copy",
  actor: "schedule",
  database: "shop",
  backupId: stage.backupId,
  tier: "cloud",
} as const;
const tiers = [{ name: "local", kind: "local", store: memoryStore("local") }] as const;

async function eventsOf(
  work: () => Promise<StageResult>,
  isRetried = false,
  more: Partial<StageRecord> = {},
): Promise<AuditEvent[]> {
  const events: AuditEvent[] = [];
  const record = async (one: AuditEvent) => void events.push(one);
  const attempt = { attempt: 2, isRetried: () => isRetried };
  const how = { actor: "schedule", details: { slot: "then" }, attempt, ...more };
  await recordedStage({ record, tiers }, stage, how, work).catch(() => undefined);
  return events;
}

async function eventOf(...args: Parameters<typeof eventsOf>): Promise<AuditEvent | undefined> {
  const events = await eventsOf(...args);
  expect(events).toHaveLength(1);
  return events[0];
}

test("the end of a stage is one event, with how long it took and how much it was", async () => {
  expect(await eventOf(async () => ({ bytes: 7, seconds: 3 }))).toEqual({
    ...event,
    outcome: "ok",
    bytes: 7,
    seconds: 3,
    details: { slot: "then", attempt: 2 },
  });
});

test("a failure says why, without a password, and whether it is tried again", async () => {
  const fails = (error: Error) => async (): Promise<never> => {
    throw error;
  };
  expect(
    await eventOf(fails(new TrivaultError("STORE_FULL", "No room on postgresql://u:hunter2@h/db.")), true),
  ).toMatchObject({
    outcome: "failed",
    error: { code: "STORE_FULL", message: expect.not.stringContaining("hunter2") },
    details: { attempt: 2, retried: true, slot: "then" },
  });
  expect(await eventOf(fails(new Error("what?")))).toMatchObject({
    error: { code: "UNKNOWN" },
    details: { retried: false },
  });
});

test("a copy that put a bad one right is recorded as that, too", async () => {
  const repaired = { was: "damaged", objects: 3 } as const;
  expect(await eventsOf(async () => ({ bytes: 7, seconds: 3, repaired }))).toMatchObject([
    { action: "backup.copy", outcome: "ok" },
    { action: "tier.repaired", tier: "cloud", details: { was: "damaged", madeGoodFrom: "local", objects: 3 } },
  ]);
});

test("what is no end is left out", async () => {
  const leaveOut = (result: StageResult | null) => result === null || result.bytes === 0;
  expect(await eventsOf(async () => ({ bytes: 0, seconds: 0 }), false, { leaveOut })).toEqual([]);
  expect(await eventsOf(() => Promise.reject(new Error("stopped")), false, { leaveOut })).toEqual([]);
});
