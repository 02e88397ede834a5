import type { AuditEvent } from "@trivault/audit";
import { expect, it } from "@jest/globals";
import { silentLogger } from "@trivault/core";
import { until } from "@trivault/testkit";
import { recordRefusedJobs } from "./refused-jobs.ts";

it("9.C21 foreign jobs are recorded, the first at once and a flood by its number, and never in the name that they give", async () => {
  const events: AuditEvent[] = [];
  const refusals = recordRefusedJobs(async (event) => void events.push(event), silentLogger(), 50);
  for (let i = 0; i < 1000; i++) refusals.refused({ queue: "dump", id: "x".repeat(5000) });
  const event = { action: "job.refused", outcome: "refused", actor: "maintenance" };
  expect(events).toMatchObject([{ ...event, details: { queue: "dump", job: "x".repeat(100), count: 1 } }]);
  await until(async () => events.length === 2);
  expect(events[1]).toMatchObject({ ...event, details: { count: 999 } });
  refusals.refused({ queue: "restore", id: "a" });
  refusals.refused({ queue: "restore", id: "b" });
  await refusals.close();
  expect(events.slice(2).map(({ details }) => details)).toEqual([
    { queue: "restore", job: "a", count: 1 },
    { queue: "restore", job: "b", count: 1 },
  ]);
});
