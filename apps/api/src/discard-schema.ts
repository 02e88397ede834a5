import { z } from "zod";
import { decision } from "./cleanup-schema.ts";
import { bytes, listOf } from "./schema-parts.ts";

const copy = decision.extend({ tier: z.string() }).meta({ id: "DiscardedCopy" });

export const discardPlan = z
  .object({
    database: z.string(),
    digest: z.string().describe("Identifies what would be deleted: POST it to have just that deleted."),
    copies: listOf(copy),
    stays: listOf(z.object({ tier: z.string(), backupId: z.string(), why: z.string() })),
    unreachable: listOf(z.object({ tier: z.string(), reason: z.string() })),
  })
  .meta({ id: "DiscardPlan" });

export const discardBody = z.strictObject({
  digest: z
    .string()
    .regex(/^[0-9a-f]{64}$/, "is not the digest of a plan: GET gives it")
    .meta({ examples: ["e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"] }),
});

export const discarded = z
  .object({
    database: z.string(),
    deleted: listOf(copy),
    held: listOf(z.string()).describe("What was not deleted, though planned, and why."),
    freedBytes: bytes,
    complete: z.boolean().describe("Nothing that was to go is left on any tier."),
  })
  .meta({ id: "Discarded" });
