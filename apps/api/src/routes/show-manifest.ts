import { type InspectedCopy, inspectCopies, restoreCommand } from "@trivault/backup";
import { manifestSchema } from "@trivault/core";
import { z } from "zod";
import type { ApiDeps, App } from "../deps.ts";
import { LISTING_MS, requireBackup } from "../find-backup.ts";
import { BACKUPS_PATH } from "../links.ts";
import { backupId, bytes, listOf, problems } from "../schema-parts.ts";

const answer = z
  .object({
    id: z.string(),
    database: z.string(),
    manifest: manifestSchema
      .nullable()
      .describe("The manifest of a copy whose signature is trusted, where there is one."),
    copies: listOf(
      z.object({
        tier: z.string(),
        state: z
          .enum(["complete", "untrusted", "partial", "none", "unknown"])
          .describe("untrusted: its manifest was read and is no good. unknown: it could not be read."),
        bytes: bytes.nullable(),
        signature: z.enum(["trusted", "unsigned", "unknown-key", "bad-signature"]).nullable(),
        signedBy: z.string().nullable().describe("The public key that the signature names."),
        problem: z.string().nullable(),
      }),
    ),
    restore: z.string().describe("The command that restores it on any machine with a tier and the identity."),
  })
  .meta({ id: "BackupManifest" });

export function showManifestRoute(app: App, deps: ApiDeps): void {
  app.get(
    `${BACKUPS_PATH}/:id/manifest`,
    {
      config: { access: "viewer" },
      schema: {
        operationId: "showManifest",
        tags: ["backups"],
        summary: "What a backup's manifest says on each tier, and whose signature it bears",
        params: z.strictObject({ id: backupId }),
        response: { 200: answer, ...problems },
      },
    },
    async (request) => {
      const backup = await requireBackup(deps, request.params.id, request.signal);
      const { id, database } = backup;
      const signal = AbortSignal.any([request.signal, AbortSignal.timeout(LISTING_MS)]);
      const copies = await inspectCopies(deps.config, deps.tiers, backup, signal);
      return { id, database, manifest: bestManifest(copies), copies, restore: restoreCommand(database, id) };
    },
  );
}

export function bestManifest(copies: readonly InspectedCopy[]): InspectedCopy["manifest"] {
  const best = copies.find(({ signature }) => signature === "trusted") ?? copies.find(({ manifest }) => manifest);
  return best?.manifest ?? null;
}
