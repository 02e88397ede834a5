import { AUDIT_ACTIONS, AUDIT_OUTCOMES, type RecordedEvent } from "@trivault/audit";
import { background, TrivaultError } from "@trivault/core";
import { z } from "zod";
import type { ApiDeps, App } from "../deps.ts";
import { answerOfEvent, recordedEvent } from "../event-schema.ts";
import { backupId, count, cursor, listOf, nextCursor, problems, time } from "../schema-parts.ts";

const text = z.string().min(1).max(255).optional();
const query = z.strictObject({
  from: time.optional(),
  to: time.optional(),
  actor: text,
  database: text,
  backupId: backupId.optional(),
  tier: text,
  action: z.enum(AUDIT_ACTIONS).optional(),
  outcome: z.enum(AUDIT_OUTCOMES).optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  cursor: cursor.optional(),
});
const answer = z.object({ events: listOf(recordedEvent), nextCursor }).meta({ id: "AuditPage" });

const verdict = z
  .object({
    ok: z.boolean(),
    events: count,
    head: z
      .object({ seq: count, hash: z.string() })
      .nullable()
      .describe("Keep it elsewhere: it proves later that nothing before it was rewritten."),
    waiting: count,
    problems: listOf(z.object({ file: z.string(), line: count, seq: count.nullable(), what: z.string() })),
  })
  .meta({ id: "AuditVerdict" });

export function auditRoute(app: App, { audit }: ApiDeps): void {
  app.get(
    "/api/v1/audit",
    {
      config: { access: "viewer" },
      schema: {
        operationId: "listAudit",
        tags: ["record"],
        summary: "The audit log, newest first: who did what when, and how it ended",
        querystring: query,
        response: { 200: answer, ...problems },
      },
    },
    async (request) => {
      const { from, to, limit, cursor: after, ...filter } = request.query;
      const place = after === undefined ? null : placeOf(after);
      const bounds = { from: dateOf(from), to: place?.at ?? dateOf(to) };
      const events: RecordedEvent[] = [];
      for await (const event of audit.query({ ...filter, ...bounds }, "newest-first")) {
        request.signal.throwIfAborted();
        if (place !== null && event.seq >= place.seq) continue;
        events.push(event);
        if (events.length > limit) break;
      }
      const page = events.slice(0, limit);
      const last = page.at(-1);
      return {
        events: page.map(answerOfEvent),
        ...(events.length > limit && last ? { nextCursor: `${last.at.getTime()}.${last.seq}` } : {}),
      };
    },
  );
  let running: ReturnType<typeof audit.verify> | null = null;
  app.get(
    "/api/v1/audit/verify",
    {
      config: { access: "operator" },
      schema: {
        operationId: "verifyAudit",
        tags: ["record"],
        summary: "Whether the audit log is as it was written, line by line",
        description: "Reads all of it; those who ask at once are answered together.",
        response: { 200: verdict, ...problems },
      },
    },
    async () => {
      running ??= background(
        audit.verify().finally(() => {
          running = null;
        }),
      );
      const { problems: found, ...rest } = await running;
      return { ...rest, problems: found.map(({ seq, ...problem }) => ({ ...problem, seq: seq ?? null })) };
    },
  );
}

/** `<time>.<seq>` of the last event of the page before: events stand in the order of their times. */
function placeOf(text_: string): { at: Date; seq: number } {
  const [, at, seq] = /^(\d{1,15})\.(\d{1,15})$/.exec(text_) ?? [];
  if (at !== undefined && seq !== undefined) return { at: new Date(Number(at)), seq: Number(seq) };
  throw new TrivaultError("INPUT_INVALID", "querystring.cursor: is none that this list gave.", { permanent: true });
}

function dateOf(iso: string | undefined): Date | undefined {
  return iso === undefined ? undefined : new Date(iso);
}
