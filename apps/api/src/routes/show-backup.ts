import { TrivaultError } from "@trivault/core";
import { type PlacedCopy, stateOfBackup } from "@trivault/monitor";
import type { RunStatus } from "@trivault/queue";
import type { ApiDeps, App } from "../deps.ts";
import { findBackup, type FoundBackup, LISTING_MS } from "../find-backup.ts";
import { BACKUPS_PATH, linksOf } from "../links.ts";
import { lookUpRun, type RunLookUp } from "../runs.ts";
import { backupDetails, backupParams, problems, publishedStatus } from "../schemas.ts";

export function showBackupRoute(app: App, deps: ApiDeps): void {
  app.get(
    `${BACKUPS_PATH}/:id`,
    {
      config: { access: "viewer" },
      schema: {
        operationId: "showBackup",
        tags: ["backups"],
        summary: "The progress of a requested backup, or what is known of one",
        description: "Takes the id of a run (as POST answers it) or of a backup (as the list holds it).",
        params: backupParams,
        response: { 200: backupDetails, ...problems },
      },
    },
    async (request) => {
      const { id } = request.params;
      const signal = AbortSignal.any([request.signal, AbortSignal.timeout(LISTING_MS)]);
      const lookUp = await lookUpRun(deps, id);
      const { run, queue } = lookUp;
      const backupId = run === null ? id : run.backupId;
      const found =
        backupId === null
          ? { backup: null, unreachable: [] }
          : await findBackup(deps, backupId, run?.database ?? null, signal);
      const database = run?.database ?? found.backup?.database;
      if (database === undefined) throw notFound(id, lookUp, found);
      const copies = found.backup?.copies ?? [];
      return {
        id,
        database,
        backupId,
        status: publishedStatus(stateOfBackup({ jobs: run, recorded: null, copies: placesOf(deps, copies) })),
        queue,
        note: noteOn(lookUp),
        stages: run === null ? [] : run.stages.map(stageAnswer),
        copies,
        unreachable: [...found.unreachable],
        links: linksOf(id),
      };
    },
  );
}

/** Each tier of the site is to have one. */
function placesOf({ tiers }: ApiDeps, copies: readonly { tier: string; complete: boolean }[]): PlacedCopy[] {
  return tiers.map(({ name }) => {
    return { wanted: true, complete: copies.some(({ tier, complete }) => tier === name && complete) };
  });
}

function stageAnswer({ id: _job, startedAt, finishedAt, ...stage }: RunStatus["stages"][number]) {
  return { ...stage, startedAt: startedAt?.toISOString() ?? null, finishedAt: finishedAt?.toISOString() ?? null };
}

function noteOn({ queue, reason }: RunLookUp): string | null {
  if (queue === "known") return null;
  if (queue === "forgotten") return "The queue does not know this run any more; this is what lies on the tiers.";
  return `The queue could not be asked, so this is what lies on the tiers. ${reason}`;
}

/** 404 only where everything was asked; that something could not be asked is no proof of absence. */
function notFound(id: string, { queue, reason }: RunLookUp, { unreachable }: FoundBackup): TrivaultError {
  const silent = unreachable.map(({ tier, reason: why }) => ` The tier ${tier} could not be asked: ${why}`).join("");
  if (queue === "unreachable") {
    return new TrivaultError(
      "QUEUE_UNREACHABLE",
      `The tiers that answer hold no backup ${id}, and the queue, which would know it if it were still to be made, could not be asked. ${reason}${silent}`,
    );
  }
  if (silent !== "") {
    return new TrivaultError("STORE_UNREACHABLE", `The tiers that answer hold no backup ${id}.${silent}`);
  }
  return new TrivaultError("NOT_FOUND", `There is no run and no backup ${id}; GET ${BACKUPS_PATH} lists them.`, {
    permanent: true,
  });
}
