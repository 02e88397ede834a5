import formbody from "@fastify/formbody";
import { chooseLanguage, cleanupPage, discardPage, type RestoreCheck, restorePage, urls } from "@trivault/dashboard";
import { HOUR_MS, isBackupId, timeOfBackupId } from "@trivault/core";
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { cleanupPlan } from "../cleanup-schema.ts";
import type { ApiDeps, App } from "../deps.ts";
import { discardPlan } from "../discard-schema.ts";
import { requireBackup } from "../find-backup.ts";
import { whyNotAllowed } from "../restore-targets.ts";
import { sendPage } from "../page.ts";
import { type Answer, ApiProblem, callApi, inject, orThrow, readProblem } from "./call-api.ts";
import { backupRef, named, noSuchBackup } from "./page-params.ts";
import { viewOf } from "./view-of.ts";

const may = (access: "viewer" | "operator" | "admin") => ({ schema: { hide: true }, config: { access } }) as const;
const anything = z.unknown();
const started = z.object({ id: z.string() });
const reasonForm = z.object({ reason: z.string().catch("") });
const restoreForm = z.object({
  target: z.string().max(500).catch(""),
  to: z.enum(["source-server", "restore-server"]).catch("source-server"),
  from: z.string().max(255).catch("any"),
});
type RestoreForm = z.output<typeof restoreForm>;
const restorePlan = z.object({
  checks: z.array(z.object({ check: z.string(), ok: z.boolean().nullable(), detail: z.string() })),
});
const alertRef = z.object({ id: z.string().min(1).max(255) });
const silenceForm = z.object({
  reason: z.string().catch(""),
  hours: z.coerce.number().positive().max(8760).catch(4),
});
const digestForm = z.object({ digest: z.string().catch("") });

/** What the pages' forms do: each asks the API, and leads to where the outcome is seen. */
export async function actionRoutes(app: App, deps: ApiDeps): Promise<void> {
  await app.register(formbody);

  app.post("/databases/:name/backup", may("operator"), async (request, reply) => {
    const { name } = named.parse(request.params);
    const call = { method: "POST", url: "/api/v1/backups", body: { database: name } } as const;
    const { id } = orThrow(await callApi(request, call, started));
    return reply.redirect(`${urls.backup(id)}?done=backup`, 303);
  });

  app.post("/databases/:name/acknowledge", may("operator"), async (request, reply) => {
    const { name } = named.parse(request.params);
    const call = { method: "POST", url: `${apiOfDatabase(name)}/acknowledge`, body: {} } as const;
    orThrow(await callApi(request, call, anything));
    return seen(reply, `${urls.database(name)}?done=acknowledge`);
  });

  app.get("/databases/:name/discard", may("admin"), async (request, reply) => {
    const { name } = named.parse(request.params);
    return showDiscard(request, reply, name, null);
  });

  app.post("/databases/:name/discard", may("admin"), async (request, reply) => {
    const { name } = named.parse(request.params);
    const { digest } = digestForm.parse(request.body ?? {});
    const call = { method: "POST", url: `${apiOfDatabase(name)}/discard`, body: { digest } } as const;
    const answer = await callApi(request, call, anything);
    if ("problem" in answer) return showDiscard(request, reply, name, answer.problem.detail);
    return seen(reply, "/?done=discard");
  });

  app.post("/backups/:id/verify", may("operator"), async (request, reply) => {
    const { id } = backupRef.parse(request.params);
    orThrow(await callApi(request, { method: "POST", url: apiOf(id, "verify"), body: {} }, anything));
    return reply.redirect(`${urls.backup(id)}?done=verify`, 303);
  });

  app.post("/backups/:id/keep", may("operator"), async (request, reply) => {
    const { id } = backupRef.parse(request.params);
    const { reason } = reasonForm.parse(request.body ?? {});
    orThrow(await callApi(request, { method: "PUT", url: apiOf(id, "keep"), body: { reason } }, anything));
    return seen(reply, `${urls.backup(id)}?done=keep`);
  });

  app.post("/backups/:id/unkeep", may("operator"), async (request, reply) => {
    const { id } = backupRef.parse(request.params);
    orThrow(await callApi(request, { method: "DELETE", url: apiOf(id, "keep") }, anything));
    return seen(reply, `${urls.backup(id)}?done=unkeep`);
  });

  app.get("/backups/:id/restore", may("operator"), async (request, reply) =>
    showRestore(request, reply, { form: null, answer: null }),
  );

  app.post("/backups/:id/restore/check", may("operator"), async (request, reply) => {
    const { id } = backupRef.parse(request.params);
    const form = restoreForm.parse(request.body ?? {});
    const body = { backupId: id, ...form };
    const answer = await callApi(request, { method: "POST", url: "/api/v1/restores/check", body }, restorePlan);
    return showRestore(request, reply, { form, answer });
  });

  app.post("/backups/:id/restore", may("operator"), async (request, reply) => {
    const { id } = backupRef.parse(request.params);
    const form = restoreForm.parse(request.body ?? {});
    const restored = z.object({ database: z.string() });
    const answer = await callApi(request, { method: "POST", url: apiOf(id, "restore"), body: form }, restored);
    if ("problem" in answer) return showRestore(request, reply, { form, answer });
    return reply.redirect(`${urls.database(answer.ok.database)}?done=restore#restores`, 303);
  });

  app.post("/alerts/:id/silence", may("operator"), async (request, reply) => {
    const { id } = alertRef.parse(request.params);
    const { reason, hours } = silenceForm.parse(request.body ?? {});
    const body = { reason, until: new Date(Date.now() + hours * HOUR_MS).toISOString() };
    orThrow(await callApi(request, { method: "POST", url: silenceOf(id), body }, anything));
    return reply.redirect("/alerts?done=silence", 303);
  });

  app.post("/alerts/:id/unsilence", may("operator"), async (request, reply) => {
    const { id } = alertRef.parse(request.params);
    orThrow(await callApi(request, { method: "DELETE", url: silenceOf(id) }, anything));
    return reply.redirect("/alerts?done=unsilence", 303);
  });

  app.post("/reports", may("operator"), async (request, reply) => {
    const language = chooseLanguage(request.headers["accept-language"]);
    const call = { method: "POST", url: "/api/v1/reports?format=html", body: { language } } as const;
    const { statusCode, payload, headers } = await inject(request, call, "text/html, application/json");
    if (statusCode >= 400) throw new ApiProblem(readProblem(payload));
    const policy = headers["content-security-policy"];
    return reply
      .headers({ "content-security-policy": policy, "content-type": "text/html; charset=utf-8" })
      .send(payload);
  });

  app.get("/tiers/:name/cleanup", may("admin"), async (request, reply) => {
    const { name } = named.parse(request.params);
    return showCleanup(request, reply, name, null);
  });

  app.post("/tiers/:name/cleanup", may("admin"), async (request, reply) => {
    const { name } = named.parse(request.params);
    const { digest } = digestForm.parse(request.body ?? {});
    const url = `/api/v1/tiers/${encodeURIComponent(name)}/cleanup`;
    const answer = await callApi(request, { method: "POST", url, body: { digest } }, anything);
    if ("problem" in answer) return showCleanup(request, reply, name, answer.problem.detail);
    return seen(reply, `${urls.tier(name)}?done=cleanup`);
  });

  /** What was changed shall be seen at once, and not after the observer's next look. */
  async function seen(reply: FastifyReply, url: string): Promise<FastifyReply> {
    await deps.observer.refresh().catch(() => undefined); // the page says how old it is
    return reply.redirect(url, 303);
  }

  async function showRestore(
    request: FastifyRequest,
    reply: FastifyReply,
    { form, answer }: { form: RestoreForm | null; answer: Answer<unknown> | null },
  ): Promise<FastifyReply> {
    const { id } = backupRef.parse(request.params);
    if (!isBackupId(id)) throw noSuchBackup(id);
    const backup = await requireBackup(deps, id, request.signal);
    const plan = answer !== null && "ok" in answer ? restorePlan.parse(answer.ok) : null;
    const problem = answer !== null && "problem" in answer ? answer.problem : null;
    const { restoreTarget } = deps.config;
    const refused = whyNotAllowed(deps.config, request.identity.role, "source-server");
    const usual = refused === null || restoreTarget === null ? "source-server" : "restore-server";
    const page = restorePage(viewOf(deps, request), {
      backupId: id,
      database: backup.database,
      startedAt: timeOfBackupId(id).toISOString(),
      tiers: backup.copies.filter(({ complete }) => complete).map(({ tier }) => tier),
      target: form?.target ?? proposedName(backup.database, id),
      to: form?.to ?? usual,
      from: form?.from ?? "any",
      restoreServer: restoreTarget !== null,
      sourceServer: refused === null,
      checks: plan && plan.checks.map(({ ok, detail }) => ({ outcome: outcomeOf(ok), text: detail })),
      problem: problem?.detail ?? (restoreTarget === null ? refused : null),
    });
    return sendPage(reply, page, problem?.status);
  }

  async function showDiscard(request: FastifyRequest, reply: FastifyReply, database: string, problem: string | null) {
    const call = { method: "GET", url: `${apiOfDatabase(database)}/discard` } as const;
    const plan = orThrow(await callApi(request, call, discardPlan));
    const page = discardPage(viewOf(deps, request), {
      database,
      digest: plan.digest,
      copies: plan.copies.map(({ tier, backupId, bytes }) => {
        return { tier, backupId, bytes, startedAt: timeOfBackupId(backupId).toISOString() };
      }),
      warnings: [
        ...plan.stays.map(({ tier, backupId, why }) => `${tier}, ${backupId}: ${why}`),
        ...plan.unreachable.map(({ tier, reason }) => `${tier}: ${reason}`),
      ],
      problem,
    });
    return sendPage(reply, page, problem === null ? 200 : 409);
  }

  async function showCleanup(request: FastifyRequest, reply: FastifyReply, tier: string, problem: string | null) {
    const url = `/api/v1/tiers/${encodeURIComponent(tier)}/cleanup`;
    const plan = orThrow(await callApi(request, { method: "GET", url }, cleanupPlan));
    const page = cleanupPage(viewOf(deps, request), {
      tier,
      digest: plan.digest,
      kept: plan.kept,
      warnings: [...plan.warnings, ...plan.unreachable.map(({ tier: name, reason }) => `${name}: ${reason}`)],
      problem,
      deletions: plan.decisions
        .filter(({ action }) => action === "delete")
        .map(({ database, backupId, bytes, reasons, heldUntil = null }) => ({
          database,
          backupId,
          startedAt: timeOfBackupId(backupId).toISOString(),
          bytes,
          rule: reasons.join(", "),
          heldUntil,
        })),
    });
    return sendPage(reply, page, problem === null ? 200 : 409);
  }
}

function apiOfDatabase(name: string): string {
  return `/api/v1/databases/${encodeURIComponent(name)}`;
}

function silenceOf(id: string): string {
  return `/api/v1/alerts/${encodeURIComponent(id)}/silence`;
}

function apiOf(id: string, what: string): string {
  return `/api/v1/backups/${encodeURIComponent(id)}/${what}`;
}

function outcomeOf(ok: boolean | null): RestoreCheck["outcome"] {
  return ok === null ? "unknown" : ok ? "ok" : "failed";
}

/** `server.shop` of 23 November → `shop_20261123`: a name that PostgreSQL takes, and that is most likely free. */
function proposedName(database: string, id: string): string {
  const plain = (database.split(".").at(-1) ?? database).replaceAll(/[^\w-]/g, "_").slice(0, 50);
  return `${plain}_${id.slice(0, 8)}`;
}
