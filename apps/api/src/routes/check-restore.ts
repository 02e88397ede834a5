import { z } from "zod";
import type { ApiDeps, App } from "../deps.ts";
import { checkRestore } from "../restore-check.ts";
import { restoreBody } from "../restore-schema.ts";
import { backupId, bytes, listOf, problems, seconds } from "../schema-parts.ts";

const answer = z
  .object({
    ok: z.boolean().describe("No check failed. What cannot be known from here (ok: null) may still."),
    backupId: z.string(),
    database: z.string(),
    target: z.string(),
    bytes: bytes.nullable(),
    estimatedSeconds: seconds.nullable().describe("By the last restore of this database; null where there was none."),
    checks: listOf(
      z.object({
        check: z.enum(["backup", "verified", "identity", "server", "target", "tools", "space", "worker"]),
        ok: z.boolean().nullable(),
        detail: z.string(),
      }),
    ),
  })
  .meta({ id: "RestorePlan" });

export function checkRestoreRoute(app: App, deps: ApiDeps): void {
  app.post(
    "/api/v1/restores/check",
    {
      config: { access: "operator" },
      schema: {
        operationId: "checkRestore",
        tags: ["restores"],
        summary: "What a restore would find: everything that it needs, looked at first",
        description:
          "Changes nothing. Identity, programs and space are those of the machine of this service; a worker elsewhere may have others.",
        body: z
          .strictObject({ backupId, ...restoreBody.shape })
          .meta({ examples: [{ backupId: "20261123t020000z-7f3k9xq2", target: "shop_restored" }] }),
        response: { 200: answer, ...problems },
      },
    },
    async (request) => {
      const { backupId: id, ...body } = request.body;
      return checkRestore(deps, id, body, { role: request.identity.role, signal: request.signal });
    },
  );
}
