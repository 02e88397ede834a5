import { TrivaultError } from "@trivault/core";
import type { DatabasePage } from "@trivault/monitor";
import { z } from "zod";
import type { ApiDeps, App } from "../deps.ts";
import { BACKUPS_PATH } from "../links.ts";
import { pageOf, pageQuery } from "../pages.ts";
import { databaseName, problems } from "../schema-parts.ts";
import { settingsOf } from "../settings-of.ts";
import { databaseDetails, databaseList, retentionPage, runPage } from "../view-schemas.ts";

const PATH = "/api/v1/databases";
const params = z.strictObject({ name: databaseName });

export function databasesRoute(app: App, deps: ApiDeps): void {
  const { observer } = deps;
  app.get(
    PATH,
    {
      config: { access: "viewer" },
      schema: {
        operationId: "listDatabases",
        tags: ["databases"],
        summary: "The databases, the health of each, and when it is backed up next",
        response: { 200: databaseList, ...problems },
      },
    },
    async () => {
      const { at, health, databases } = await observer.overview();
      const rows = new Map(databases.map((row) => [row.name, row]));
      return {
        at,
        databases: health.databases.map((database) => ({
          ...database,
          settings: settingsOf(deps, database.name),
          runs: rows.get(database.name)?.runs ?? 0,
          runsOk: rows.get(database.name)?.runsOk ?? 0,
          links: linksOf(database.name),
        })),
      };
    },
  );
  app.get(
    `${PATH}/:name`,
    {
      config: { access: "viewer" },
      schema: {
        operationId: "showDatabase",
        tags: ["databases"],
        summary: "One database: health, rates, restores",
        description: "Its runs and what is kept of it are listed page by page by `/runs` and `/retention`.",
        params,
        response: { 200: databaseDetails, ...problems },
      },
    },
    async (request) => {
      const { name } = request.params;
      const { runs: _runs, retention: _retention, ...page } = await requirePage(deps, name);
      return { ...page, settings: settingsOf(deps, name) };
    },
  );
  app.get(
    `${PATH}/:name/runs`,
    {
      config: { access: "viewer" },
      schema: {
        operationId: "listRuns",
        tags: ["databases"],
        summary: "The runs of the last 30 days, newest first",
        params,
        querystring: pageQuery,
        response: { 200: runPage, ...problems },
      },
    },
    async (request) => {
      const runs = newestFirst((await requirePage(deps, request.params.name)).runs);
      const { page, ...more } = pageOf(runs, request.query);
      return { runs: page, total: runs.length, ...more };
    },
  );
  app.get(
    `${PATH}/:name/retention`,
    {
      config: { access: "viewer" },
      schema: {
        operationId: "listRetention",
        tags: ["databases"],
        summary: "Every backup on any tier, newest first, and why it stays or goes",
        params,
        querystring: pageQuery,
        response: { 200: retentionPage, ...problems },
      },
    },
    async (request) => {
      const rows = newestFirst((await requirePage(deps, request.params.name)).retention);
      const { page, ...more } = pageOf(rows, request.query);
      return { backups: page, total: rows.length, ...more };
    },
  );
}

async function requirePage({ observer }: ApiDeps, name: string): Promise<DatabasePage> {
  const page = await observer.database(name);
  if (page !== null) return page;
  throw new TrivaultError(
    "NOT_FOUND",
    `No database named ${JSON.stringify(name)} is configured here or has backups; GET ${PATH} lists them.`,
    { permanent: true },
  );
}

function newestFirst<T extends { readonly backupId: string }>(items: readonly T[]): T[] {
  return items.toSorted((a, b) => (a.backupId < b.backupId ? 1 : -1));
}

function linksOf(name: string) {
  const self = `${PATH}/${encodeURIComponent(name)}`;
  return { self, runs: `${self}/runs`, backups: `${BACKUPS_PATH}?database=${encodeURIComponent(name)}` };
}
