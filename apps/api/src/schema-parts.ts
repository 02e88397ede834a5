import { directoryOf, isBackupId, QUEUES } from "@trivault/core";
import { z } from "zod";

export { bytes, count, listOf, seconds, time } from "@trivault/core/view-schema";

/** What many routes take and give: validation, types and the OpenAPI document all come from these schemas. */

export const databaseName = z
  .string()
  .min(1)
  .refine(isUsableName, "is too long for a database name")
  .meta({ examples: ["shop"] });
export const backupId = z
  .string()
  .refine(isBackupId, "is not a backup id, such as 20261123t020000z-7f3k9xq2")
  .meta({ examples: ["20261123t020000z-7f3k9xq2"] });
export const tierName = z
  .string()
  .min(1)
  .max(255)
  .meta({ examples: ["remote"] });
export const flag = z.enum(["true", "false"]).transform((text) => text === "true");
export const queueName = z.enum(QUEUES);

/** Where the next page begins; what it holds is our own business. */
export const cursor = z.string().min(1).max(255).describe("`nextCursor` of the page before.");
export const nextCursor = z.string().optional().describe("Absent on the last page.");

/** Loose, as what a schema leaves out is gone from `request.headers`. */
export const idempotencyHeaders = z.looseObject({
  "idempotency-key": z
    .string()
    .regex(/^[!-~]{1,255}$/, "takes 1 to 255 visible ASCII characters")
    .optional()
    .describe(
      "Within a day the same key for the same request is answered as the first time, and starts nothing else. For another request it is refused with 422.",
    ),
});

export const jobLink = z
  .object({
    queue: queueName,
    id: z.string(),
    tier: z.string().nullable(),
    links: z.object({ self: z.string(), board: z.string().describe("Bull Board") }),
  })
  .meta({ id: "JobLink" });

export const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string().describe("A stable name to match on, such as NOT_FOUND or QUEUE_UNREACHABLE."),
    requestId: z.string(),
  })
  .meta({ id: "Problem" });
const problemAnswer = (description: string) => ({
  description,
  content: { "application/problem+json": { schema: problem } },
});
/** Every route of the API may answer these. */
export const problems = {
  "4xx": problemAnswer("The request cannot be served; it has to change."),
  "5xx": problemAnswer("The request could not be served; 503 may pass."),
};

function isUsableName(name: string): boolean {
  try {
    return directoryOf(name) !== "";
  } catch {
    return false; // directoryOf throws for names that no tier can hold
  }
}
