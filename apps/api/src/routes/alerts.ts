import { ALERT_RULES, DAY_MS, LANGUAGES, TrivaultError } from "@trivault/core";
import { z } from "zod";
import type { ApiDeps, App } from "../deps.ts";
import { listOf, problems, time } from "../schema-parts.ts";

const severity = z.enum(["warning", "critical"]);
const silence = z.object({ reason: z.string(), by: z.string(), at: time, until: time }).meta({ id: "Silence" });
const common = {
  id: z.string().describe("The same whenever it comes back."),
  rule: z.enum(ALERT_RULES),
  severity,
  title: z.string(),
  text: z.string().describe("What happened, since when, what is still safe, what to do."),
  facts: listOf(z.tuple([z.string(), z.string()]).readonly()),
  link: z.string().nullable().describe("A page of the dashboard."),
  members: listOf(z.string()).describe("What it is about: databases, tiers, queues."),
  since: time,
  raisedAt: time,
};
const alertList = z
  .object({
    alerts: listOf(z.object({ ...common, toldAt: time.nullable(), silence: silence.nullable() }).meta({ id: "Alert" })),
    ended: listOf(z.object({ ...common, endedAt: time }).meta({ id: "EndedAlert" })),
    channels: listOf(z.object({ name: z.string(), kind: z.string(), from: severity })),
  })
  .meta({ id: "AlertList" });

const listQuery = z.strictObject({
  language: z.enum(LANGUAGES).default("en").describe("The language of titles, texts and facts."),
});
const alertId = z
  .string()
  .regex(/^[a-z-]{1,40}-[0-9a-f]{8}$/, "is not the id of an alert")
  .meta({ examples: ["tier-unreachable-1a2b3c4d"] });
const params = z.strictObject({ id: alertId });
const silenceBody = z
  .strictObject({ reason: z.string().trim().min(1).max(500), until: time.describe("In the future, within a year.") })
  .meta({ examples: [{ reason: "the server moves", until: "2026-11-24T08:00:00.000Z" }] });
const testBody = z
  .strictObject({ channel: z.string().min(1).max(64).optional() })
  .meta({ examples: [{ channel: "ops" }] });
const testResult = z
  .object({
    channels: listOf(
      z.object({ channel: z.string(), kind: z.string(), ok: z.boolean(), problem: z.string().nullable() }),
    ),
  })
  .meta({ id: "ChannelTests" });

const LONGEST_MS = 366 * DAY_MS;

export function alertsRoute(app: App, { alerts, config, record }: ApiDeps): void {
  app.get(
    "/api/v1/alerts",
    {
      config: { access: "viewer" },
      schema: {
        operationId: "listAlerts",
        tags: ["alerts"],
        summary: "The alerts that fire now, the worst first, and what ended lately",
        querystring: listQuery,
        response: { 200: alertList, ...problems },
      },
    },
    async ({ query: { language } }) => ({
      alerts: alerts.current(language),
      ended: alerts.ended(language),
      channels: config.monitoring.alerts.channels.map(({ name, kind, from }) => ({ name, kind, from })),
    }),
  );
  app.post(
    "/api/v1/alerts/:id/silence",
    {
      config: { access: "operator" },
      schema: {
        operationId: "silenceAlert",
        tags: ["alerts"],
        summary: "Silence an alert until a time; it is evaluated all the same",
        description: "Silenced again, it has the new reason and end.",
        params,
        body: silenceBody,
        response: { 200: silence, ...problems },
      },
    },
    async (request) => {
      const until = new Date(request.body.until);
      if (until.getTime() > Date.now() + LONGEST_MS) {
        throw new TrivaultError("INPUT_INVALID", "A silence ends within a year.", { permanent: true });
      }
      const { reason } = request.body;
      const made = await alerts.silence({ alert: request.params.id, reason, until, actor: request.identity.actor });
      return { reason: made.reason, by: made.by, at: made.at, until: made.until };
    },
  );
  app.delete(
    "/api/v1/alerts/:id/silence",
    {
      config: { access: "operator" },
      schema: {
        operationId: "unsilenceAlert",
        tags: ["alerts"],
        summary: "End the silence of an alert",
        params,
        response: { 204: z.null(), ...problems },
      },
    },
    async (request, reply) => {
      if (!(await alerts.unsilence(request.params.id, request.identity.actor))) {
        const message = `The alert ${request.params.id} is not silenced.`;
        throw new TrivaultError("NOT_FOUND", message, { permanent: true });
      }
      return reply.status(204).send(null);
    },
  );
  app.post(
    "/api/v1/alerts/test",
    {
      config: { access: "admin" },
      schema: {
        operationId: "testAlerts",
        tags: ["alerts"],
        summary: "Send a real message through one channel, or all, and show which took it",
        body: testBody,
        response: { 200: testResult, ...problems },
      },
    },
    async (request) => {
      const channels = await alerts.test(request.body.channel);
      const actor = request.identity.actor;
      for (const { channel, ok, problem } of channels) {
        if (ok) continue;
        const details = { channel, reason: problem, test: true };
        await record({ action: "channel.failed", outcome: "failed", actor, details });
      }
      return { channels };
    },
  );
}
