import { databaseHealth, tierHealth } from "@trivault/maintenance/health/report-schema";
import { databasePage, retentionRow, run, tierPage, tierRow } from "@trivault/monitor/view-schema";
import { z } from "zod";
import { count, listOf, nextCursor, time } from "./schema-parts.ts";

/** The views of packages/monitor, and what the API adds to them: pages, links and settings. */

export const runPage = z.object({ runs: listOf(run), total: count, nextCursor }).meta({ id: "RunPage" });

export const configuredDatabase = z
  .object({
    schedule: z.string().nullable().describe("Cron line; null: only on demand."),
    timeZone: z.string(),
    tiers: listOf(z.string()),
    retention: z.record(z.string(), z.string()).describe("By tier, as the configuration would say it; off: all stays."),
    priority: count,
  })
  .meta({ id: "DatabaseSettings" });

export const databaseList = z
  .object({
    at: time,
    databases: listOf(
      z.object({
        ...databaseHealth.shape,
        settings: configuredDatabase.nullable().describe("Null: it is not configured any more."),
        runs: count.describe("The runs of the last 30 days."),
        runsOk: count,
        links: z.object({ self: z.string(), runs: z.string(), backups: z.string() }),
      }),
    ),
  })
  .meta({ id: "DatabaseList" });

export const databaseDetails = databasePage
  .omit({ runs: true, retention: true })
  .extend({ settings: configuredDatabase.nullable() })
  .meta({ id: "DatabaseDetails" });

export const retentionPage = z
  .object({ backups: listOf(retentionRow), total: count, nextCursor })
  .meta({ id: "RetentionPage" });

export const tierList = z
  .object({
    at: time,
    tiers: listOf(
      z.object({
        ...tierHealth.shape,
        place: z.string(),
        trend: tierRow.nullable(),
        links: z.object({ self: z.string(), cleanup: z.string() }),
      }),
    ),
  })
  .meta({ id: "TierList" });

export const tierDetails = tierPage.extend({ place: z.string() }).meta({ id: "TierDetails" });
