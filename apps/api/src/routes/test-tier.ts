import { findTier } from "@trivault/backup";
import { hidePasswords, messageOf } from "@trivault/core";
import { type ProbeStep, probeTier } from "@trivault/storage";
import { z } from "zod";
import type { ApiDeps, App } from "../deps.ts";
import { listOf, problems, seconds, tierName } from "../schema-parts.ts";

/** Less than a connection may be silent. */
const TEST_MS = 50_000;

const answer = z
  .object({
    tier: z.string(),
    kind: z.enum(["local", "sftp", "s3"]),
    ok: z.boolean(),
    steps: listOf(
      z.object({
        step: z.string(),
        ok: z.boolean().nullable().describe("Null: not tried, as a step that it needs failed."),
        detail: z.string().describe("What was seen."),
        advice: z.string().nullable().describe("What to do."),
        seconds,
      }),
    ),
  })
  .meta({ id: "TierTest" });

export function testTierRoute(app: App, { config, tiers }: ApiDeps): void {
  app.post(
    "/api/v1/tiers/:name/test",
    {
      config: { access: "operator" },
      schema: {
        operationId: "testTier",
        tags: ["tiers"],
        summary: "Test a tier step by step: which step fails, and what to do",
        description:
          "Writes, reads and removes a probe of its own. Takes up to 50 seconds. From this service's machine.",
        params: z.strictObject({ name: tierName }),
        response: { 200: answer, ...problems },
      },
    },
    async (request) => {
      const { name } = findTier(tiers, request.params.name);
      const tier = config.tiers.find((candidate) => candidate.name === name);
      if (tier === undefined) throw new RangeError("tiers are those of the configuration");
      const signal = AbortSignal.any([request.signal, AbortSignal.timeout(TEST_MS)]);
      const steps: ProbeStep[] = [];
      try {
        for await (const step of probeTier(tier, { signal })) steps.push(hidden(step));
      } catch (error) {
        if (!signal.aborted) throw error;
        const detail = `the test was ended: ${messageOf(signal.reason)}`;
        steps.push({ step: "time", ok: false, detail, advice: "Look at the slow steps before it.", seconds: 0 });
      }
      return { tier: name, kind: tier.kind, ok: steps.every(({ ok }) => ok !== false), steps };
    },
  );
}

function hidden(step: ProbeStep): ProbeStep {
  const advice = step.advice === null ? null : hidePasswords(step.advice);
  return { ...step, detail: hidePasswords(step.detail), advice };
}
