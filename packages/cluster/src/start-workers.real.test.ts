import { expect, test } from "@jest/globals";
import { resolveConfig, silentLogger } from "@trivault/core";
import { closeQueues, connectRedis, countWorkers, openQueues, siteJobKey } from "@trivault/queue";
import { makeTempDir, startRedis, until } from "@trivault/testkit";
import { startWorkers } from "./start-workers.ts";

test("9.B15 a start that fails half-way, as that of a refused reload, leaves no worker that takes jobs", async () => {
  await using server = await startRedis();
  await using dir = await makeTempDir();
  const config = resolveConfig(
    {
      DATABASE_URL: "postgresql://nobody@127.0.0.1:1/shop",
      BACKUP_ENCRYPTION: "none",
      BACKUP_DIR: dir.path,
      BACKUP_SPOOL_DIR: `${dir.path}/spool`,
    },
    "backup",
  );
  // The workers take jobs when the scheduler is to be started.
  const bad = {
    ...config,
    get limits(): never {
      throw new Error("half-way");
    },
  };
  await expect(startWorkers(bad, server.url, silentLogger())).rejects.toThrow("half-way");
  const redis = connectRedis(server.url, "wait");
  const opened = openQueues(redis, siteJobKey(dir.path));
  try {
    await until(async () => Object.values(await countWorkers(opened)).every((count) => count === 0));
    const workers = await startWorkers(config, server.url, silentLogger());
    await until(async () => (await countWorkers(opened)).dump === 1);
    await workers.close(0);
  } finally {
    await closeQueues(opened);
    redis.disconnect();
  }
});
