import { expect, test } from "@jest/globals";
import type { AuditEvent } from "@trivault/audit";
import { TrivaultError } from "@trivault/core";
import { recorded } from "./recorded.ts";

const event = {
  action: "backup.copy",
  actor: "schedule",
  database: "shop",
  tier: "cloud",
  details: { slot: "then" },
} as const;

async function eventOf(
  stage: () => Promise<{ bytes: number; seconds: number }>,
  isRetried = false,
): Promise<AuditEvent | undefined> {
  const events: AuditEvent[] = [];
  const record = async (one: AuditEvent) => void events.push(one);
  await recorded(record, event, { attempt: 2, isRetried: () => isRetried }, stage).catch(() => undefined);
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
