import { findTier } from "@trivault/backup";
import { placeOf, TrivaultError } from "@trivault/core";
import { z } from "zod";
import type { ApiDeps, App } from "../deps.ts";
import { problems, tierName } from "../schema-parts.ts";
import { tierDetails, tierList } from "../view-schemas.ts";

const PATH = "/api/v1/tiers";

export function tiersRoute(app: App, { config, tiers, observer }: ApiDeps): void {
  const placeOn = (name: string) => {
    const tier = config.tiers.find((candidate) => candidate.name === name);
    return tier === undefined ? "" : placeOf(tier);
  };
  app.get(
    PATH,
    {
      config: { access: "viewer" },
      schema: {
        operationId: "listTiers",
        tags: ["tiers"],
        summary: "The tiers: what is on each, and how fast it grows",
        response: { 200: tierList, ...problems },
      },
    },
    async () => {
      const { at, health, tiers: rows } = await observer.overview();
      return {
        at,
        tiers: health.tiers.map((tier) => {
          const self = `${PATH}/${encodeURIComponent(tier.name)}`;
          const trend = rows.find(({ name }) => name === tier.name) ?? null;
          return { ...tier, place: placeOn(tier.name), trend, links: { self, cleanup: `${self}/cleanup` } };
        }),
      };
    },
  );
  app.get(
    `${PATH}/:name`,
    {
      config: { access: "viewer" },
      schema: {
        operationId: "showTier",
        tags: ["tiers"],
        summary: "One tier: capacity over time, cost, what is of which database, what was verified",
        params: z.strictObject({ name: tierName }),
        response: { 200: tierDetails, ...problems },
      },
    },
    async (request) => {
      const { name } = findTier(tiers, request.params.name);
      const page = await observer.tier(name);
      if (page !== null) return { ...page, place: placeOn(name) };
      throw new TrivaultError("NOT_FOUND", `Nothing is known of the tier ${name} yet; ask again in a moment.`);
    },
  );
}
