import { COPY_STATES } from "@trivault/core";
import { z } from "zod";
import { bytes, count, databaseName, listOf, time } from "./schema-parts.ts";

export const decision = z
  .object({
    database: z.string(),
    backupId: z.string(),
    bytes,
    state: z.enum(COPY_STATES).nullable(),
    action: z.enum(["keep", "delete", "copy", "none"]),
    reasons: listOf(z.string()),
    heldUntil: time
      .optional()
      .describe("Until when a deletion that only the newest rules make waits, unless it is ordered."),
  })
  .meta({ id: "Decision" });

export const cleanupPlan = z
  .object({
    tier: z.string(),
    digest: z.string().describe("Identifies what would be deleted: POST it to have just that deleted."),
    decisions: listOf(decision),
    kept: count,
    deleted: count,
    held: count.describe("The deletions that wait since the rules changed; ordered, they go at once."),
    missing: count,
    freedBytes: bytes,
    savedPerMonth: z.number().nullable(),
    warnings: listOf(z.string()),
    unreachable: listOf(z.object({ tier: z.string(), reason: z.string() })),
  })
  .meta({ id: "CleanupPlan" });

export const cleanupQuery = z.strictObject({ database: databaseName.optional() });
export const cleanupBody = z
  .strictObject({
    digest: z
      .string()
      .regex(/^[0-9a-f]{64}$/, "is not the digest of a plan: GET gives it")
      .meta({ examples: ["e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"] }),
    database: databaseName.optional(),
  })
  .describe("The same `database` as that of the plan.");

export const cleanedUp = z
  .object({
    tier: z.string(),
    state: z
      .enum(["done", "running"])
      .describe("running: it takes longer and goes on; the audit log shows what it deletes."),
    deleted: listOf(decision),
    held: listOf(z.string()).describe("What was not deleted, though planned, and why."),
    freedBytes: bytes,
    swept: count.describe("Remains of copies that nobody makes any more."),
  })
  .meta({ id: "CleanedUp" });
