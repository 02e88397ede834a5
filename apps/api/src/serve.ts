import { auditFolder, openAuditLog } from "@trivault/audit";
import { codeOf, type Config, type Logger, messageOf, TrivaultError } from "@trivault/core";
import { startHeartbeat } from "@trivault/maintenance";
import { openObserver } from "@trivault/monitor";
import { checkRedis, closeQueues, connectRedis, openQueues, redisDrift, type Queues } from "@trivault/queue";
import { openTiers } from "@trivault/storage";
import { buildApp } from "./app.ts";
import type { Redis } from "./deps.ts";
import { requireTokenBeyondLoopback } from "./guard.ts";
import { createSwitchableServer, type RequestListener, type SwitchableServer } from "./switchable-server.ts";

export interface RunningApi {
  /** Where it listens, such as `http://127.0.0.1:3000`. */
  readonly url: string;
  /** Answers from now on by another configuration; requests that run end by the old one. The address stays. */
  reload(config: Config): Promise<void>;
  /** Takes no new request, lets running ones end, and closes everything. */
  close(): Promise<void>;
}

/** Opens all that the API needs, and listens. What a failed start opened is closed again. */
export async function startApi(config: Config, redisUrl: string, log: Logger): Promise<RunningApi> {
  requireTokenBeyondLoopback(config.api);
  const redis = connectRedis(redisUrl, "fail-fast");
  const closers = [async () => redis.disconnect()];
  const close = async () => {
    for (const each of closers.splice(0)) await each();
  };
  try {
    await checkRedis(redis, redisUrl);
    const queues = openQueues(redis);
    closers.unshift(() => closeQueues(queues));
    let current = await openGeneration(config, queues, redis, log);
    closers.unshift(() => current.close());
    const heartbeat = startHeartbeat(config, { service: "api", redisDrift: redisDrift(redis) });
    closers.unshift(() => heartbeat.close());
    const server = createSwitchableServer(current.answer);
    closers.unshift(() => server.close());
    const url = await listen(server, config);
    log.info({ url }, "API ready");
    const reload = async (changed: Config) => {
      const next = await openGeneration(changed, queues, redis, log);
      const before = current;
      current = next;
      server
        .switchTo(next.answer)
        .then(() => before.close())
        .catch((error: unknown) => log.error({ reason: messageOf(error) }, "the old API could not be closed"));
    };
    return { url, reload, close };
  } catch (error) {
    await close();
    throw error;
  }
}

interface Generation {
  readonly answer: RequestListener;
  close(): Promise<void>;
}

/** The application of one configuration, not listening. */
async function openGeneration(config: Config, queues: Queues, redis: Redis, log: Logger): Promise<Generation> {
  const tiers = openTiers(config.tiers);
  const closeTiers = async () => void (await Promise.all(tiers.map((tier) => tier.store.close())));
  const audit = openAuditLog(auditFolder(config.backupDir), { log });
  const observer = openObserver(config, log);
  const app = buildApp({ config, tiers, queues, redis, log, record: audit.record, audit, observer });
  const close = async () => {
    await app.close();
    await observer.close();
    await audit.close();
    await closeTiers();
  };
  try {
    await app.ready();
    return { answer: (request, response) => app.routing(request, response), close };
  } catch (error) {
    await close();
    throw error;
  }
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
