import { acceptSizeFrom } from "@trivault/maintenance";
import { TrivaultError } from "@trivault/core";
import { z } from "zod";
import type { ApiDeps, App } from "../deps.ts";
import { requireBackup } from "../find-backup.ts";
import { backupId, databaseName, problems } from "../schema-parts.ts";

const acceptedSize = z.object({ database: z.string(), from: z.string() }).meta({ id: "AcceptedSize" });

/** Lets smaller backups displace larger ones, so it is for those who may delete. */
export function acceptSizeRoute(app: App, deps: ApiDeps): void {
  app.post(
    "/api/v1/databases/:name/accept-size",
    {
      config: { access: "admin" },
      schema: {
        operationId: "acceptSize",
        tags: ["databases"],
        summary: "Say that a database did become so small",
        description:
          "From that backup on a smaller size is normal: until somebody says so, backups that are suddenly much smaller displace none that are older.",
        params: z.strictObject({ name: databaseName }),
        body: z.strictObject({ from: backupId }),
        response: { 200: acceptedSize, ...problems },
      },
    },
    async (request) => {
      const { name } = request.params;
      const { from } = request.body;
      const { database } = await requireBackup(deps, from, request.signal);
      if (database !== name) {
        const message = `The backup ${from} is one of ${database}, and not of ${name}.`;
        throw new TrivaultError("INPUT_INVALID", message, { permanent: true });
      }
      const site = { config: deps.config, record: deps.record, now: () => new Date() };
      await acceptSizeFrom(site, { database: name, backupId: from }, request.identity.actor);
      return { database: name, from };
    },
  );
}
