import { codeOf, type Config, type Logger, messageOf, TrivaultError } from "@trivault/core";
import { checkRedis, closeQueues, connectRedis, openQueues } from "@trivault/queue";
import { openTiers } from "@trivault/storage";
import { buildApp } from "./app.ts";
import type { App } from "./deps.ts";
import { requireTokenBeyondLoopback } from "./guard.ts";

export interface RunningApi {
  /** Where it listens, such as `http://127.0.0.1:3000`. */
  readonly url: string;
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
    const tiers = openTiers(config.tiers);
    closers.unshift(async () => void (await Promise.all(tiers.map((tier) => tier.store.close()))));
    const app = buildApp({ config, tiers, queues, redis, log });
    closers.unshift(async () => app.close());
    const url = await listen(app, config);
    log.info({ url }, "API ready");
    return { url, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function listen(app: App, { api: { host, port } }: Config): Promise<string> {
  try {
    return await app.listen({ host, port });
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
