import { AUDIT_OUTCOMES, type RecordedEvent } from "@trivault/audit";
import { z } from "zod";
import { count, time } from "./schema-parts.ts";

export const recordedEvent = z
  .object({
    seq: count.describe("1, 2, 3, … over the whole audit log."),
    at: time,
    action: z.string().describe("Such as backup.dump, backup.copy, backup.deleted; see docs/audit.md."),
    outcome: z.enum(AUDIT_OUTCOMES),
    actor: z.string(),
    database: z.string().optional(),
    backupId: z.string().optional(),
    tier: z.string().optional(),
    seconds: z.number().optional(),
    bytes: z.number().optional(),
    error: z.object({ code: z.string(), message: z.string() }).optional(),
    details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])).optional(),
    host: z.string(),
    pid: count,
  })
  .meta({ id: "RecordedEvent" });

export function answerOfEvent({ time: _time, at, ...event }: RecordedEvent): z.output<typeof recordedEvent> {
  return { ...event, at: at.toISOString() };
}
