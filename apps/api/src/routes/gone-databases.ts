import { createHash } from "node:crypto";
import { TrivaultError } from "@trivault/core";
import { acknowledgeGone, discardBackups, type DiscardPlan, planDiscard } from "@trivault/maintenance";
import { z } from "zod";
import type { ApiDeps, App } from "../deps.ts";
import { discardBody, discarded, discardPlan } from "../discard-schema.ts";
import { LISTING_MS } from "../find-backup.ts";
import { databaseName, problems, time } from "../schema-parts.ts";
import { siteOf } from "../site-of.ts";

const DATABASE = "/api/v1/databases/:name";
const params = z.strictObject({ name: databaseName });
const acknowledged = z
  .object({ database: z.string(), by: z.string(), at: time, reason: z.string().nullable() })
  .meta({ id: "Acknowledgement" });

/** Databases that are gone: taking note of it, and discarding what is left of one, in two steps as with a cleanup. */
export function goneDatabasesRoute(app: App, deps: ApiDeps): void {
  app.post(
    `${DATABASE}/acknowledge`,
    {
      config: { access: "operator" },
      schema: {
        operationId: "acknowledgeDatabase",
        tags: ["databases"],
        summary: "Take note that a discovered database is gone: nobody is alerted of it from then on",
        params,
        body: z
          .strictObject({ reason: z.string().trim().min(1).max(500).optional() })
          .meta({ examples: [{ reason: "moved to the new shop" }] }),
        response: { 200: acknowledged, ...problems },
      },
    },
    async ({ params: { name }, body: { reason = null }, identity: { actor } }) => {
      const mark = await acknowledgeGone(siteOf(deps), name, { actor, reason });
      return { database: name, ...mark };
    },
  );
  app.get(
    `${DATABASE}/discard`,
    {
      config: { access: "viewer" },
      schema: {
        operationId: "planDiscard",
        tags: ["databases"],
        summary: "What discarding all backups of a database that is not configured would delete",
        description: "All tiers are listed as they are now. Nothing is changed.",
        params,
        response: { 200: discardPlan, ...problems },
      },
    },
    async ({ params: { name }, signal }) => answerOf(await plan(deps, name, signal)),
  );
  app.post(
    `${DATABASE}/discard`,
    {
      config: { access: "admin" },
      schema: {
        operationId: "discardBackups",
        tags: ["databases"],
        summary: "Delete all backups of a database that is not configured, from all tiers",
        description:
          "Refused with 409 where the plan is another one by now: then GET it again, look at it, and send its digest.",
        params,
        body: discardBody,
        response: { 200: discarded, ...problems },
      },
    },
    async (request) => {
      const { name } = request.params;
      const found = await plan(deps, name, request.signal);
      if (digestOf(found) !== request.body.digest) {
        throw new TrivaultError(
          "EXISTS",
          `What is left of ${name} has changed since you saw it: ${found.copies.length} copies would be deleted now. Nothing was deleted; look at the plan again.`,
          { permanent: true },
        );
      }
      const context = { signal: deps.closing, note: (line: string) => request.log.info(line) };
      const { deleted, ...rest } = await discardBackups(siteOf(deps), found, request.identity.actor, context);
      return { ...rest, deleted: [...deleted] };
    },
  );
}

function plan(deps: ApiDeps, name: string, request: AbortSignal): Promise<DiscardPlan> {
  return planDiscard(siteOf(deps), name, AbortSignal.any([request, AbortSignal.timeout(LISTING_MS)]));
}

function answerOf(found: DiscardPlan) {
  return { ...found, digest: digestOf(found) };
}

function digestOf({ database, copies }: DiscardPlan): string {
  const goes = copies.map(({ tier, backupId }) => `${tier}/${backupId}`).toSorted();
  return createHash("sha256")
    .update(JSON.stringify([database, goes]))
    .digest("hex");
}
