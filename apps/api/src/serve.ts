import { listTokens, openAccess } from "@trivault/access";
import { headSeenByAlerts, listAlerts, startAlerts } from "@trivault/alerts";
import { auditFolder, openAuditLog } from "@trivault/audit";
import {
  background,
  codeOf,
  type Config,
  ensureStateFolder,
  type Logger,
  messageOf,
  TrivaultError,
} from "@trivault/core";
import { readHeartbeats, startHeartbeat } from "@trivault/site";
import { openObserver } from "@trivault/monitor";
import { createMailer } from "@trivault/notify";
import { createReportMaker, headSeenByReports, startReports } from "@trivault/reports";
import {
  checkRedis,
  closeQueues,
  connectRedis,
  openQueues,
  queueStates,
  redisDrift,
  siteJobKey,
} from "@trivault/queue";
import { openTiers } from "@trivault/storage";
import { buildApp } from "./app.ts";
import type { ApiDeps } from "./deps.ts";
import { firstToken } from "./first-token.ts";
import { requireTokenBeyondLoopback } from "./loopback.ts";
import { createSwitchableServer, type RequestListener, type SwitchableServer } from "./switchable-server.ts";

/** How the process is looked into; opened and closed by its entry point. */
export type Watched = Pick<ApiDeps, "processMetrics" | "tracing" | "requestsPerMinute">;

export interface RunningApi {
  /** Where it listens, such as `http://127.0.0.1:3000`. */
  readonly url: string;
  /** Where the token of the first start lies, while it is good. */
  readonly firstTokenFile: string | null;
  /** Opens all that another configuration needs, which changes nothing yet: to be put in force, or discarded. */
  prepare(config: Config): Promise<PreparedApi>;
  /** Takes no new request, lets running ones end, and closes everything. */
  close(): Promise<void>;
}

export interface PreparedApi {
  /** Answers by it from now on; requests that run end by the old one. The address stays. */
  apply(): void;
  discard(): Promise<void>;
}

/** Opens all that the API needs, and listens. What a failed start opened is closed again. */
export async function startApi(config: Config, redisUrl: string, log: Logger, watched: Watched): Promise<RunningApi> {
  await ensureStateFolder(config.backupDir);
  await requireTokenBeyondLoopback(config.api, openAccess({ file: config.api.accessFile, log }));
  const firstTokenFile = await firstToken(config, log);
  const redis = connectRedis(redisUrl, "fail-fast");
  const closers = [async () => redis.disconnect()];
  const close = async () => {
    for (const each of closers.splice(0)) await each();
  };
  try {
    await expectSafe(redis, redisUrl, log);
    const queues = openQueues(redis, siteJobKey(config.backupDir), watched.tracing);
    closers.unshift(() => closeQueues(queues));
    const shared = { ...watched, queues, redis, log };
    let current = await openGeneration(config, shared);
    closers.unshift(() => current.close());
    const heartbeat = startHeartbeat(config, { service: "api", redisDrift: redisDrift(redis) });
    closers.unshift(() => heartbeat.close());
    const server = createSwitchableServer(current.answer);
    closers.unshift(async () => {
      const closed = background(server.close());
      current.endStreams();
      await closed;
    });
    const url = await listen(server, config);
    log.info({ url }, "API ready");
    const switchTo = (next: Generation) => {
      const before = current;
      current = next;
      const switched = server.switchTo(next.answer);
      before.endStreams();
      switched
        .then(() => before.close())
        .catch((error: unknown) => log.error({ reason: messageOf(error) }, "the old API could not be closed"));
    };
    const prepare = async (changed: Config): Promise<PreparedApi> => {
      const next = await openGeneration(changed, shared);
      return { apply: () => switchTo(next), discard: () => next.close() };
    };
    return { url, firstTokenFile, prepare, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * A Redis that is away holds up nothing but what needs it: files and tiers show the rest. One that may lose jobs is refused;
 * where that is found out only when it comes back, it is logged.
 */
async function expectSafe(redis: ApiDeps["redis"], url: string, log: Logger): Promise<void> {
  try {
    await checkRedis(redis, url);
  } catch (error) {
    if (codeOf(error) !== "QUEUE_UNREACHABLE") throw error;
    log.warn({ reason: messageOf(error) }, "the queue cannot be reached; the API answers from files and tiers");
    redis.once("ready", () => {
      checkRedis(redis, url).then(
        () => log.info("the queue is reached again"),
        (late: unknown) => log.error({ reason: messageOf(late) }, "the queue is reached again, and is not safe"),
      );
    });
  }
}

/** What outlives a change of the configuration. */
type Shared = Watched & Pick<ApiDeps, "queues" | "redis" | "log">;

interface Generation {
  readonly answer: RequestListener;
  endStreams(): void;
  close(): Promise<void>;
}

/** The application of one configuration, not listening. */
async function openGeneration(config: Config, shared: Shared): Promise<Generation> {
  const { log } = shared;
  await using opened = new AsyncDisposableStack(); // what a failed start opened is closed again
  const tiers = openTiers(config.tiers);
  opened.defer(async () => void (await Promise.all(tiers.map((tier) => tier.store.close()))));
  const audit = openAuditLog(auditFolder(config.backupDir), {
    log,
    anchors: async () => (await Promise.all([headSeenByAlerts(config), headSeenByReports(config)])).flat(),
  });
  opened.defer(() => audit.close());
  const observer = openObserver(config, log);
  opened.defer(() => observer.close());
  const access = openAccess({ file: config.api.accessFile, log });
  opened.defer(() => access.close());
  const closing = new AbortController();
  const now = () => new Date();
  const alerts = startAlerts({
    config,
    observer,
    audit,
    record: audit.record,
    queueStates: () => queueStates(shared.queues, now()),
    heartbeats: () => readHeartbeats(config, now()),
    tokens: async () => {
      const tokens = await listTokens(config.api.accessFile, now());
      return tokens.map(({ name, expiresAt }) => ({
        name,
        expiresAt: expiresAt === null ? null : new Date(expiresAt),
      }));
    },
    now,
    log,
  });
  opened.defer(() => alerts.close());
  const reports = createReportMaker({
    config,
    observer,
    now,
    openAlerts: async (language) =>
      (await listAlerts(config, language, now())).map(({ severity, title, raisedAt }) => {
        return { severity, title, since: new Date(raisedAt) };
      }),
  });
  const mailer = config.monitoring.mail && createMailer(config.monitoring.mail);
  opened.defer(() => mailer?.close());
  const daily = startReports({ config, maker: reports, audit, record: audit.record, mailer, now, log });
  opened.defer(() => daily.close());
  const app = buildApp({
    ...shared,
    config,
    tiers,
    record: audit.record,
    audit,
    observer,
    alerts,
    reports,
    access,
    closing: closing.signal,
  });
  opened.defer(() => app.close());
  await app.ready();
  const all = opened.move();
  return {
    answer: (request, response) => app.routing(request, response),
    endStreams: () => closing.abort(),
    close: () => all.disposeAsync(),
  };
}

async function listen(server: SwitchableServer, { api: { host, port } }: Config): Promise<string> {
  try {
    return await server.listen(host, port);
  } catch (cause) {
    const code = codeOf(cause);
    if (code !== "EADDRINUSE" && code !== "EACCES" && code !== "EADDRNOTAVAIL" && code !== "ENOTFOUND") throw cause;
    throw new TrivaultError(
      "CONFIG_INVALID",
      `The API cannot listen on ${host} port ${port}: ${messageOf(cause)}. Set BACKUP_API_PORT to a free port (above 1023 without root), or BACKUP_API_HOST to an address of this machine.`,
      { permanent: true, cause },
    );
  }
}
