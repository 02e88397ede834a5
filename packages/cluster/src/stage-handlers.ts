import { dumpStage, giveUp, type NextStage } from "@trivault/backup";
import { messageOf, type QueueName } from "@trivault/core";
import { type MaintenanceSite, maintainTier } from "@trivault/maintenance";
import {
  copiesOf,
  copyJobSchema,
  copyQueueOf,
  encryptJobSchema,
  type Handler,
  knownSlots,
  parseJob,
  type Queues,
  startCopy,
  startEncrypt,
} from "@trivault/queue";
import { carryJob } from "./carry-job.ts";
import { dumpHandler, type DumpHandlerDeps, type ToStageContext } from "./dump-handler.ts";
import { maintenanceHandler } from "./maintenance-handler.ts";
import { restoreHandler } from "./restore-handler.ts";
import { verifyHandler } from "./verify-handler.ts";

export interface HandlerDeps extends Omit<DumpHandlerDeps, "dump" | "isQueued" | "stageContext"> {
  readonly queues: Queues;
}

/** The actor of jobs that nobody asked for. */
const ITSELF = "maintenance";

/** What the workers of each queue do: the stages, with the end of each in the audit log. */
export function stageHandlers({ queues, ...deps }: HandlerDeps): Record<QueueName, Handler> {
  const { site } = deps;
  const stageContext: ToStageContext = (context, actor) => ({
    ...context,
    start: (next) => startNext(site, queues, next, actor),
  });
  const copy = (queue: QueueName): Handler => ({
    async run(data, context) {
      const { actor = ITSELF, ...payload } = parseJob(copyJobSchema, queue, data);
      return carryJob(site, { stage: "copy", ...payload }, { actor, context, stage: stageContext(context, actor) });
    },
  });
  return {
    dump: dumpHandler({
      ...deps,
      dump: dumpStage,
      isQueued: async (slot) => (await knownSlots(queues, [slot])).size > 0,
      stageContext,
    }),
    encrypt: {
      async run(data, context) {
        const { actor = ITSELF, ...ref } = parseJob(encryptJobSchema, "encrypt", data);
        const stage = stageContext(context, actor);
        const result = await carryJob(site, { stage: "encrypt", ...ref }, { actor, context, stage });
        // They were asked for when it began. A Redis that was wiped since has forgotten those that still waited.
        for (const { tier } of copiesOf(site.config, ref.database)) {
          await stage.start({ stage: "copy", ...refOf(ref), from: site.tiers[0].name, to: tier });
        }
        return result;
      },
      failed: (data, error) => giveUp(site, parseJob(encryptJobSchema, "encrypt", data), messageOf(error)),
    },
    "remote-sync": copy("remote-sync"),
    "cloud-upload": copy("cloud-upload"),
    restore: restoreHandler(site, deps.history),
    verify: verifyHandler({ ...site, history: deps.history }),
    maintenance: maintenanceHandler(site, maintainTier, (context) => stageContext(context, ITSELF)),
  };
}

async function startNext(site: MaintenanceSite, queues: Queues, next: NextStage, actor: string): Promise<void> {
  const { database, backupId } = next;
  if (next.stage === "encrypt") return startEncrypt(queues, { database, backupId, actor });
  const { from, to } = next;
  const kindOf = (name: string) => site.tiers.find((tier) => tier.name === name)?.kind ?? "sftp";
  await startCopy(queues, copyQueueOf(kindOf(from), kindOf(to)), { database, backupId, from, to, actor });
}

function refOf({ database, backupId }: { database: string; backupId: string }) {
  return { database, backupId };
}
