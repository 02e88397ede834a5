import { isTargetName } from "@trivault/queue";
import { z } from "zod";
import { tierName } from "./schema-parts.ts";

/** Where to a restore goes: a server is chosen, never a URL given, so that no password passes through here. */
export const restoreBody = z
  .strictObject({
    target: z
      .string()
      .refine(isTargetName, "takes letters, digits, _, - and . (63 bytes at most), and none of postgres and template…")
      .describe("The name of the database to make. One that exists and is not empty is refused.")
      .meta({ examples: ["shop_restored"] }),
    to: z
      .enum(["source-server", "restore-server"])
      .default("source-server")
      .describe("The server that the backup came from, or that of BACKUP_RESTORE_TARGET (of the worker)."),
    from: tierName.default("any").describe("A tier, or any: each segment from the first tier that has a good one."),
    noOwner: z.boolean().default(false).describe("Everything belongs to the user who restores; no grants."),
    globals: z
      .boolean()
      .default(false)
      .describe(
        "First make those roles of the backup that the target lacks. None that exists there is changed or granted to.",
      ),
    jobs: z.int().min(1).max(32).default(1).describe("More than one restores in parallel, through the spool."),
  })
  .meta({ examples: [{ target: "shop_restored" }, { target: "shop", to: "restore-server", noOwner: true }] });
export type RestoreBody = z.output<typeof restoreBody>;
