import type { RecordedEvent } from "@trivault/audit";
import { hidePasswords } from "@trivault/core";
import { stateOfMoving } from "@trivault/monitor";
import type { MovingRun } from "@trivault/queue";
import type { FastifyRequest } from "fastify";
import { z } from "zod";
import type { ApiDeps, App } from "../deps.ts";
import { createEventHub } from "../event-hub.ts";
import { answerOfEvent, recordedEvent } from "../event-schema.ts";
import { type EventStream, openEventStream } from "../event-stream.ts";
import { progressOf } from "../job-schema.ts";
import { sendProblem } from "../problem.ts";
import { backupId, count, listOf, problems, time } from "../schema-parts.ts";
import { runStatus, stage, publishedStatus } from "../schemas.ts";

/** Streams of one caller, and of all. */
const MOST_OF_ONE = 10;
const MOST = 500;
/** Events that a caller who comes back gets; one who was away for longer has to look anew (`event: reset`). */
const MOST_MISSED = 1000;
/** So soon a stream ends whose caller is not let in any more: their token was revoked, say. */
const LET_IN_CHECK_MS = 5000;

export const movingRun = z
  .object({
    id: z.string().describe("The id of the run, or of the job of a restore or verification."),
    kind: z.enum(["backup", "restore", "verify"]),
    database: z.string(),
    backupId: z.string().nullable(),
    status: runStatus,
    stages: listOf(stage),
  })
  .meta({ id: "MovingRun" });
const overview = z.object({ at: time, ok: z.boolean() }).meta({ id: "OverviewEvent" });
/** What `data` of the events holds; in the document for the sake of those who write clients. */
const events = z
  .object({ record: recordedEvent, run: movingRun, overview, reset: z.object({ lastSeq: count }) })
  .partial()
  .meta({ id: "Events" });

export function eventsRoute(app: App, deps: ApiDeps): void {
  const hub = createEventHub(deps);
  const streams = new Map<string, number>();
  app.addHook("onClose", async () => hub.close());
  app.get(
    "/api/v1/events",
    {
      config: { access: "viewer" },
      schema: {
        operationId: "events",
        tags: ["site"],
        summary: "What happens, as it happens: server-sent events",
        description:
          "`record`: an event of the audit log, with its number as id, so that a client that comes back with Last-Event-ID misses none. `run`: a run that moves, its stages with bytes and progress, at most twice a second. `overview`: the site was looked at. `reset`: more was missed than can be sent; read the state anew. With `backup` runs and records of that one only (of its run or its backup id). A comment comes every 15 seconds.",
        querystring: z.strictObject({ backup: backupId.optional() }),
        headers: z.looseObject({ "last-event-id": z.string().max(20).optional() }),
        response: {
          200: {
            description: "The stream; its events' `data` by their names.",
            content: { "text/event-stream": { schema: events } },
          },
          ...problems,
        },
      },
    },
    async (request, reply) => {
      const { actor } = request.identity;
      const mine = streams.get(actor) ?? 0;
      const all = [...streams.values()].reduce((sum, each) => sum + each, 0);
      if (mine >= MOST_OF_ONE || all >= MOST) {
        const detail = `There are ${mine} event streams of ${actor} already (${MOST_OF_ONE} are allowed, ${MOST} of all). Close one, or share it.`;
        return sendProblem(reply, { status: 429, code: "TOO_MANY_STREAMS", detail });
      }
      const backup = request.query.backup ?? null;
      const after = lastSeqOf(request.headers["last-event-id"]);
      reply.hijack();
      streams.set(actor, mine + 1);
      let stop = () => {};
      const stream = openEventStream(reply.raw, reply.getHeaders(), () => {
        stop();
        clearInterval(letIn);
        deps.closing.removeEventListener("abort", stream.end);
        const left = (streams.get(actor) ?? 1) - 1;
        if (left === 0) streams.delete(actor);
        else streams.set(actor, left);
      });
      const letIn = setInterval(() => void endUnlessLetIn(request, stream), LET_IN_CHECK_MS);
      deps.closing.addEventListener("abort", stream.end);
      const recorded = sendInOrder((event) => stream.send("record", answerOfEvent(event), event.seq));
      stop = hub.listen({
        backup,
        record: (event) => recorded.now(event),
        run: (run) => void stream.send("run", answerOf(run)),
        overview: (look) => void stream.send("overview", look),
      });
      if (deps.closing.aborted) stream.end();
      try {
        const missed = after === null ? [] : await missedSince(deps, after, backup);
        if (missed === null) stream.send("reset", { lastSeq: after });
        recorded.catchUp(missed ?? []);
      } catch (error) {
        request.log.warn({ err: error }, "what was missed could not be read");
        stream.end();
      }
      return reply;
    },
  );
}

async function endUnlessLetIn(request: FastifyRequest, stream: EventStream): Promise<void> {
  // Where that is unknown, nothing more is sent: the caller comes back, and has to log in again.
  const letIn = await request.stillLetIn().catch(() => false);
  if (!letIn) stream.end();
}

/** Sends each event once and in order: what was missed first, then what came while that was read, then what comes. */
function sendInOrder(send: (event: RecordedEvent) => void) {
  let waiting: RecordedEvent[] | null = [];
  let last = 0;
  const next = (event: RecordedEvent) => {
    if (event.seq <= last) return;
    last = event.seq;
    send(event);
  };
  return {
    now(event: RecordedEvent) {
      if (waiting === null) next(event);
      else waiting.push(event);
    },
    catchUp(missed: readonly RecordedEvent[]) {
      const held = waiting ?? [];
      waiting = null;
      for (const event of [...missed, ...held]) next(event);
    },
  };
}

/** Oldest first; null where there are too many. */
async function missedSince({ audit }: ApiDeps, seq: number, backup: string | null): Promise<RecordedEvent[] | null> {
  const missed: RecordedEvent[] = [];
  for await (const event of audit.query({}, "newest-first")) {
    if (event.seq <= seq) break;
    if (missed.length === MOST_MISSED) return null;
    if (backup === null || event.backupId === backup) missed.push(event);
  }
  return missed.toReversed();
}

function lastSeqOf(header: unknown): number | null {
  return typeof header === "string" && /^\d{1,15}$/.test(header) ? Number(header) : null;
}

export function answerOf(run: MovingRun): z.output<typeof movingRun> {
  const { kind, runId, database, backupId: id, stages } = run;
  return {
    id: runId,
    kind,
    database,
    backupId: id,
    status: publishedStatus(stateOfMoving(run)),
    stages: stages.map(({ id: _job, progress, problem, startedAt, finishedAt, ...rest }) => ({
      ...rest,
      progress: progressOf(progress),
      problem: problem === null ? null : hidePasswords(problem),
      startedAt: startedAt?.toISOString() ?? null,
      finishedAt: finishedAt?.toISOString() ?? null,
    })),
  };
}
