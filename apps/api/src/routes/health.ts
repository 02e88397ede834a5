import { background } from "@trivault/core";
import { setTimeout as sleep } from "node:timers/promises";
import type { ApiDeps, App, Redis } from "../deps.ts";
import { health } from "../schemas.ts";

const ANSWER_MS = 2000;

/** Open to all, so it answers one word only, and any number of callers cost Redis one write at a time. */
export function healthRoute(app: App, { redis }: ApiDeps): void {
  let running: Promise<boolean> | null = null;
  app.get(
    "/healthz",
    {
      config: { access: "public" },
      schema: {
        operationId: "live",
        tags: ["site"],
        summary: "Whether backups can be taken on: Redis answers, and takes writes",
        security: [],
        response: { 200: health, 503: health },
      },
    },
    async (_request, reply) => {
      running ??= background(
        takesWrites(redis).finally(() => {
          running = null;
        }),
      );
      const healthy = await running;
      return reply.status(healthy ? 200 : 503).send({ status: healthy ? "ok" : "unavailable" });
    },
  );
}

/** A write, since a Redis that is full or read-only still answers PING. */
async function takesWrites(redis: Redis): Promise<boolean> {
  const write = background(
    redis.set("trivault:health", new Date().toISOString(), "EX", 60).then(
      () => true,
      () => false,
    ),
  );
  return Promise.race([write, sleep(ANSWER_MS, false, { ref: false })]);
}
