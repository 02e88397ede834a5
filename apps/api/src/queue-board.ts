import { createBullBoard } from "@bull-board/api";
import { BullMQAdapter } from "@bull-board/api/bullMQAdapter";
import { FastifyAdapter } from "@bull-board/fastify";
import { type Config, formatDuration, QUEUES, type QueueName, TrivaultError } from "@trivault/core";
import type { Queues } from "@trivault/queue";
import type { App } from "./deps.ts";
import { BOARD_POLICY } from "./headers.ts";
import { BOARD_PATH } from "./links.ts";
import { problemOf } from "./problem.ts";
import { readOnlyFor, setAccessOfRoutes } from "./route-access.ts";

type ServerAdapter = Parameters<typeof createBullBoard>[0]["serverAdapter"];

const descriptions = ({ limits }: Pick<Config, "limits">): Readonly<Record<QueueName, string>> => ({
  dump: "Tier 1: pg_dump of a database, compressed and cut into segments in the spool (memory). One job is one requested backup.",
  encrypt:
    "Tier 1: seals each segment with age while the dump runs, and publishes it in the local tier; then the manifest.",
  "remote-sync": "Tier 2: copies a backup's segments to the server over SFTP, while they appear; the manifest last.",
  "cloud-upload": "Tier 3: copies a backup's segments to the bucket, while they appear; the manifest last.",
  restore: "Restores a backup into a new database, where an identity file is at hand, and compares every table's rows.",
  verify: "Reads every byte of a backup's copies where they are, and compares them with the signed manifest.",
  maintenance: `Every ${formatDuration(60 * limits.maintenanceMinutes)}: sweeps what dead workers left, and enqueues copies that a tier lacks.`,
});

/**
 * Bull Board, to look at only: its buttons know nothing of what a job means here (a changed payload or an obliterated
 * queue would cost a backup). POST /api/v1/backups starts one, and maintenance brings back copies that failed.
 */
export async function registerQueueBoard(app: App, queues: Queues, config: Pick<Config, "limits">): Promise<void> {
  const about = descriptions(config);
  const adapter = new FastifyAdapter().setBasePath(BOARD_PATH);
  createBullBoard({
    queues: QUEUES.map((name) => new BullMQAdapter(queues[name], { readOnlyMode: true, description: about[name] })),
    // The adapter comes with its own copy of the types (of @bull-board/api 9.10.1), whose private fields TypeScript distinguishes.
    serverAdapter: adapter as unknown as ServerAdapter,
    options: { uiConfig: { boardTitle: "Trivault", hideDocsLink: true, sortQueues: false } },
  });
  // Thrown on to the app's own handler: Bull Board's would show the text of any error.
  adapter.setErrorHandler((error) => {
    throw problemOf(error).status < 500 ? error : queuesUnreadable(error);
  });
  await app.register(
    async (board) => {
      board.addHook("onRequest", async (_request, reply) => {
        reply.header("content-security-policy", BOARD_POLICY);
      });
      setAccessOfRoutes(board, readOnlyFor("viewer"));
      await board.register(adapter.registerPlugin());
    },
    { prefix: BOARD_PATH },
  );
}

function queuesUnreadable(cause: Error): TrivaultError {
  return new TrivaultError("QUEUE_UNREACHABLE", "The queues cannot be read: Redis does not answer as it should.", {
    cause,
  });
}
