import { hidePasswords } from "@trivault/core";
import { STAGE_STATES } from "@trivault/monitor";
import type { JobDetails } from "@trivault/queue";
import { z } from "zod";
import { linkOfJob } from "./links.ts";
import { bytes, count, jobLink, listOf, queueName, time } from "./schema-parts.ts";

const text = z.string().optional();

export const jobAnswer = z
  .object({
    ...jobLink.shape,
    state: z.enum(STAGE_STATES),
    attempts: count,
    progress: z.object({ bytes, totalBytes: bytes.optional(), segments: count }).nullable(),
    problem: z.string().nullable().describe("Why the last attempt failed."),
    createdAt: time,
    startedAt: time.nullable(),
    finishedAt: time.nullable(),
    about: z
      .object({
        database: text,
        backupId: text,
        tier: text,
        from: text,
        to: text,
        target: text.describe("For a restore: the name of the database that it makes."),
        actor: text,
        slot: text,
      })
      .describe("What it is about, as far as this says something of its kind."),
    result: z
      .record(z.string(), z.unknown())
      .nullable()
      .describe(
        "The result. For a restore: `tablesCompared`, `segmentsFrom`, `created` …; for a verification: `state`, `problems`.",
      ),
    log: listOf(z.string()).describe("What it said, oldest first."),
  })
  .meta({ id: "Job" });

export const jobLogs = z
  .object({
    jobs: listOf(
      z.object({ queue: queueName, id: z.string(), tier: z.string().nullable(), lines: listOf(z.string()) }),
    ),
  })
  .meta({ id: "JobLogs" });

export function answerOfJob(job: JobDetails, log: readonly string[]) {
  const { queue, id, tier, createdAt, startedAt, finishedAt, problem, progress, ...rest } = job;
  return {
    ...rest,
    ...linkOfJob(queue, id, tier),
    problem: problem === null ? null : hidePasswords(problem),
    progress: progressOf(progress),
    createdAt: createdAt.toISOString(),
    startedAt: startedAt?.toISOString() ?? null,
    finishedAt: finishedAt?.toISOString() ?? null,
    log: log.map(hidePasswords),
  };
}

const progressSchema = jobAnswer.shape.progress;

/** As it stands in Redis, where anybody could have put something else. */
export function progressOf(progress: unknown): z.output<typeof progressSchema> {
  return progressSchema.safeParse(progress).data ?? null;
}
