import { type Config, hidePasswords, TrivaultError } from "@trivault/core";
import {
  checkRedis,
  closeQueues,
  connectRedis,
  openQueues,
  privateRedisUrl,
  type Queues,
  siteJobKey,
} from "@trivault/queue";

/** The queues of REDIS_URL, or of a running `npm start`; `inline` is what to do where there is neither. */
export async function withQueues<T>(
  config: Config,
  inline: string,
  use: (queues: Queues, redis: ReturnType<typeof connectRedis>) => Promise<T>,
): Promise<T> {
  const url = config.redisUrl ?? (await privateRedisUrl(config.backupDir));
  const redis = connectRedis(url, "fail-fast");
  const queues = openQueues(redis, siteJobKey(config.backupDir));
  try {
    await checkRedis(redis, url).catch((error: unknown) => {
      throw config.redisUrl === null ? nobodyHome(config, inline, error) : error;
    });
    return await use(queues, redis);
  } finally {
    await closeQueues(queues);
    redis.disconnect();
  }
}

function nobodyHome({ backupDir }: Config, inline: string, cause: unknown): unknown {
  if (!(cause instanceof TrivaultError) || cause.code !== "QUEUE_UNREACHABLE") return cause;
  return new TrivaultError(
    "QUEUE_UNREACHABLE",
    `There is no queue: REDIS_URL is not set, and no \`npm start\` runs for ${hidePasswords(backupDir)}. Start \`npm start\`, set REDIS_URL, or ${inline}.`,
    { cause },
  );
}
