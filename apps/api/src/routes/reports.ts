import { DAY_MS, LANGUAGES, TrivaultError } from "@trivault/core";
import { isDay, listReports, readKeptReport, reportSchema } from "@trivault/reports";
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { ApiDeps, App } from "../deps.ts";
import { databaseName, listOf, problems, time } from "../schema-parts.ts";

const REPORTS_PATH = "/api/v1/reports";
/** Before a silent connection is closed. */
const MAKING_MS = 55_000;
/** A report holds its own styles and nothing else; it is shown as a page of no origin. */
const REPORT_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox allow-popups allow-top-navigation-by-user-activation";

const report = reportSchema.meta({ id: "Report" });
const forms = {
  200: {
    description: "As JSON, or as a page to read, to mail and to print.",
    content: { "application/json": { schema: report }, "text/html": { schema: z.string() } },
  },
  ...problems,
};
const query = z.strictObject({
  format: z.enum(["json", "html"]).optional().describe("Without it as `Accept` says, and else JSON."),
});
const params = z.strictObject({
  day: z
    .string()
    .refine(isDay, "is not a day, such as 2026-11-23")
    .meta({ examples: ["2026-11-23"] }),
});
const body = z
  .strictObject({
    from: time.optional().describe("24 hours before `to` where it is left out."),
    to: time.optional().describe("Now where it is left out."),
    database: databaseName.optional().describe("Only about this database."),
    language: z.enum(LANGUAGES).optional(),
  })
  .meta({ examples: [{ from: "2026-11-01T00:00:00.000Z", to: "2026-12-01T00:00:00.000Z" }] });

const reportList = z
  .object({
    reports: listOf(
      z.object({
        day: z.iso.date(),
        madeAt: time,
        from: time,
        to: time,
        well: z.boolean(),
        summary: z.string(),
        mailedAt: time.nullable(),
        mailProblem: z.string().nullable().describe("Why it could not be mailed yet."),
        links: z.object({ html: z.string(), json: z.string() }),
      }),
    ),
  })
  .meta({ id: "ReportList" });

export function reportsRoute(app: App, { config, reports }: ApiDeps): void {
  app.get(
    REPORTS_PATH,
    {
      config: { access: "viewer" },
      schema: {
        operationId: "listReports",
        tags: ["reports"],
        summary: "The reports that were made by schedule and are kept, newest first",
        response: { 200: reportList, ...problems },
      },
    },
    async () => ({
      reports: (await listReports(config)).map(({ day, madeAt, period, well, summary, mail }) => ({
        day,
        madeAt: madeAt.toISOString(),
        from: period.from.toISOString(),
        to: period.to.toISOString(),
        well,
        summary,
        mailedAt: mail.sentAt?.toISOString() ?? null,
        mailProblem: mail.problem,
        links: { html: `${REPORTS_PATH}/${day}?format=html`, json: `${REPORTS_PATH}/${day}?format=json` },
      })),
    }),
  );
  app.get(
    `${REPORTS_PATH}/:day`,
    {
      config: { access: "viewer" },
      schema: {
        operationId: "showReport",
        tags: ["reports"],
        summary: "The report of a day",
        params,
        querystring: query,
        response: forms,
      },
    },
    async (request, reply) => {
      const { day } = request.params;
      const form = formOf(request, request.query.format);
      const kept = await readKeptReport(config, day, form);
      if (kept === null) {
        const message = `No report of ${day} is kept; GET ${REPORTS_PATH} lists those that are.`;
        throw new TrivaultError("NOT_FOUND", message, { permanent: true });
      }
      return form === "html" ? sendHtml(reply, kept) : sendJson(reply, kept);
    },
  );
  app.post(
    REPORTS_PATH,
    {
      config: { access: "operator" },
      schema: {
        operationId: "makeReport",
        tags: ["reports"],
        summary: "Make a report of any period now; it is neither kept nor mailed",
        description:
          "Reads a month of the audit log at least: of a large site that takes a while. One is made at a time.",
        querystring: query,
        body,
        response: forms,
      },
    },
    async (request, reply) => {
      const { from, to, database, language } = request.body;
      const end = to === undefined ? Date.now() : Date.parse(to);
      const period = { from: from === undefined ? end - DAY_MS : Date.parse(from), to: end };
      const wanted = {
        period,
        database: database ?? null,
        language: language ?? config.monitoring.reports.language,
      };
      const tooLong = AbortSignal.timeout(MAKING_MS);
      const made = await reports.make(wanted, AbortSignal.any([request.signal, tooLong])).catch((error: unknown) => {
        throw tooLong.aborted ? takesTooLong(error) : error;
      });
      return formOf(request, request.query.format) === "html"
        ? sendHtml(reply, made.html)
        : sendJson(reply, JSON.stringify(made.report));
    },
  );
}

function formOf({ headers }: FastifyRequest, format: "json" | "html" | undefined): "json" | "html" {
  if (format !== undefined) return format;
  const { accept = "" } = headers;
  return accept.includes("text/html") && !accept.includes("application/json") ? "html" : "json";
}

function sendHtml(reply: FastifyReply, html: string): FastifyReply {
  return reply.header("content-security-policy", REPORT_POLICY).type("text/html; charset=utf-8").send(html);
}

/** It was checked when it was made, and goes out as it was written. */
function sendJson(reply: FastifyReply, json: string): FastifyReply {
  return reply
    .type("application/json; charset=utf-8")
    .serializer((payload) => String(payload))
    .send(json);
}

function takesTooLong(cause: unknown): TrivaultError {
  return new TrivaultError(
    "CANCELLED",
    "The report was not ready within a minute. Ask for it when there is less to do, or make it by npm run backup:reports:generate, which may take its time.",
    { cause },
  );
}
