import type { Access, Identity, Role } from "@trivault/access";
import type { AlertDesk } from "@trivault/alerts";
import type { AuditLog, Recorder } from "@trivault/audit";
import type { Config, Logger } from "@trivault/core";
import type { ProcessMetrics } from "@trivault/metrics";
import type { Observer } from "@trivault/monitor";
import type { ReportMaker } from "@trivault/reports";
import type { connectRedis, Queues, Tracing } from "@trivault/queue";
import type { Tier } from "@trivault/storage";
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";

/** What the routes work with; opened and closed by whoever builds the app. */
export interface ApiDeps {
  readonly config: Config;
  readonly tiers: readonly Tier[];
  readonly queues: Queues;
  /** Fail-fast (`connectRedis(url, "fail-fast")`): a request never waits for a Redis that is away. */
  readonly redis: Redis;
  readonly log: Logger;
  readonly record: Recorder;
  /** For looking into the audit log. */
  readonly audit: Pick<AuditLog, "query" | "follow" | "verify">;
  readonly observer: Observer;
  readonly alerts: AlertDesk;
  readonly reports: ReportMaker;
  /** Ends streams that would go on for ever: at a shutdown, and when another configuration takes over. */
  readonly closing: AbortSignal;
  /** Who is let in beside BACKUP_API_TOKEN. */
  readonly access: Access;
  /** The limit of one caller; set only to measure without it. */
  readonly requestsPerMinute?: number;
  /** The metrics of this process, whatever else runs in it. */
  readonly processMetrics: ProcessMetrics;
  readonly tracing: Tracing | null;
}

declare module "fastify" {
  interface FastifyContextConfig {
    /** Who may call the route at least. A route that does not say is closed to all. */
    readonly access?: Role | "public";
  }
  interface FastifyRequest {
    /** Set by the guard before any handler runs. */
    identity: Identity;
  }
}

export type Redis = ReturnType<typeof connectRedis>;

export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>;
