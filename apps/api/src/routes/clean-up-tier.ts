import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { findTier } from "@trivault/backup";
import { background, messageOf, TrivaultError } from "@trivault/core";
import { cleanUpTier, type Cleaned, expectPlanned, lookAtSite, planReport, type SiteLook } from "@trivault/maintenance";
import { z } from "zod";
import { cleanedUp, cleanupBody, cleanupPlan, cleanupQuery } from "../cleanup-schema.ts";
import type { ApiDeps, App } from "../deps.ts";
import { LISTING_MS } from "../find-backup.ts";
import { idempotencyHeaders, problems, tierName } from "../schema-parts.ts";
import { siteOf } from "../site-of.ts";
import { startOnce } from "../started.ts";

const PATH = "/api/v1/tiers/:name/cleanup";
const params = z.strictObject({ name: tierName });
/** Deleting goes on after it, and the answer says so. */
const ANSWER_MS = 25_000;

/** Retention by hand, in two steps: the plan with its digest, and the order to carry out just that plan. */
export function cleanUpTierRoute(app: App, deps: ApiDeps): void {
  const busy = new Map<string, Promise<Cleaned>>();
  const closing = new AbortController();
  // Between two deletions; what is left is planned again by whoever comes next.
  app.addHook("onClose", async () => {
    closing.abort(new TrivaultError("CANCELLED", "The API shuts down."));
    await Promise.allSettled(busy.values());
  });

  app.get(
    PATH,
    {
      config: { access: "viewer" },
      schema: {
        operationId: "planCleanup",
        tags: ["tiers"],
        summary: "What retention would delete from a tier, and why",
        description: "All tiers are listed as they are now. Nothing is changed.",
        params,
        querystring: cleanupQuery,
        response: { 200: cleanupPlan, ...problems },
      },
    },
    async (request) => {
      const { name } = findTier(deps.tiers, request.params.name);
      return (await plan(deps, name, request.query.database, request.signal)).answer;
    },
  );
  app.post(
    PATH,
    {
      config: { access: "admin" },
      schema: {
        operationId: "cleanUpTier",
        tags: ["tiers"],
        summary: "Delete from a tier what the plan says, and what is orphaned",
        description:
          "Refused with 409 where the plan is another one by now: then GET it again, look at it, and send its digest.",
        params,
        body: cleanupBody,
        headers: idempotencyHeaders,
        response: { 200: cleanedUp, 202: cleanedUp, ...problems },
      },
    },
    async (request, reply) => {
      const tier = findTier(deps.tiers, request.params.name);
      const { digest, database } = request.body;
      const { actor } = request.identity;
      const work = async () => {
        if (busy.has(tier.name)) throw conflict(`The tier ${tier.name} is being cleaned up already.`);
        const { look, answer } = await plan(deps, tier.name, database, request.signal);
        if (answer.digest !== digest) {
          throw conflict(
            `The plan for ${tier.name} has changed since you saw it: it would delete ${answer.deleted} backups now. Nothing was deleted; look at the plan again.`,
          );
        }
        const context = {
          signal: closing.signal,
          log: request.log as ApiDeps["log"],
          note: (line: string) => request.log.info(line),
        };
        const running = background(cleanUpTier(siteOf(deps), tier, look, { actor, database }, context));
        busy.set(tier.name, running);
        running
          .catch((error: unknown) => request.log.error({ reason: messageOf(error) }, "a cleanup ended early"))
          .finally(() => busy.delete(tier.name));
        const done = await Promise.race([running, sleep(ANSWER_MS, null, { ref: false })]);
        const nothing = { tier: tier.name, deleted: [], held: [], freedBytes: 0, swept: 0 };
        return done === null ? { ...nothing, state: "running" as const } : { ...done, state: "done" as const };
      };
      const { answer } = await startOnce(deps, request, request.body, work, { long: true });
      return reply.status(answer.state === "done" ? 200 : 202).send(answer);
    },
  );
}

async function plan(deps: ApiDeps, tier: string, database: string | undefined, request: AbortSignal) {
  const signal = AbortSignal.any([request, AbortSignal.timeout(LISTING_MS)]);
  const look = await lookAtSite(siteOf(deps), signal);
  if (database !== undefined) expectPlanned(look, database);
  const unreachable = look.unreachable.find((each) => each.tier === tier);
  if (unreachable) {
    throw new TrivaultError("STORE_UNREACHABLE", `The tier ${tier} could not be asked: ${unreachable.reason}`);
  }
  const { cost: _cost, budget, ...report } = planReport({ ...look, config: deps.config, tier, database });
  const warnings = [...report.warnings, ...(budget?.message ? [budget.message] : [])];
  return {
    look,
    answer: { ...report, warnings, digest: digestOf(look, tier, database), unreachable: look.unreachable },
  };
}

/** Identifies what goes: that something else is kept for another reason changes nothing for who ordered it. */
function digestOf({ plan: { plans } }: SiteLook, tier: string, database: string | undefined): string {
  const goes = [...plans]
    .filter(([name]) => database === undefined || name === database)
    .flatMap(([, { decisions }]) => decisions.filter((each) => each.tier === tier && each.action === "delete"))
    .map((each) => `${each.database}/${each.backupId}`)
    .toSorted();
  return createHash("sha256")
    .update(JSON.stringify([tier, database ?? null, goes]))
    .digest("hex");
}

function conflict(message: string): TrivaultError {
  return new TrivaultError("EXISTS", message, { permanent: true });
}
