import { expect, test } from "@jest/globals";
import { newBackupId, resolveConfig, silentLogger } from "@trivault/core";
import { startRedis, until } from "@trivault/testkit";
import { copyJobId } from "./jobs.ts";
import { startCopy } from "./producer.ts";
import { closeQueues, openQueues } from "./queues.ts";
import { connectRedis } from "./redis.ts";
import { startWorker } from "./worker.ts";

test("a copy that waits for its next attempt makes it as soon as somebody asks for it again", async () => {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startRedis());
  const redis = connectRedis(server.url, "wait");
  stack.defer(() => redis.disconnect());
  const key = async () => Buffer.alloc(32, "of the tests");
  const queues = openQueues(redis, key);
  stack.defer(() => closeQueues(queues));
  const attempts: number[] = [];
  const run = async (_: unknown, { attempt }: { attempt: number }) => {
    attempts.push(attempt);
    // The pause after the third would be of 10 to 20 seconds.
    if (attempt < 4) throw new Error("the tier is down");
    return {};
  };
  const worker = startWorker(redis, "remote-sync", resolveConfig({}, "read").worker, silentLogger(), { run }, { key });
  stack.defer(() => worker.close(0));
  const copy = { database: "shop", backupId: newBackupId(), from: "local", to: "remote" };
  const state = async () => queues["remote-sync"].getJobState(copyJobId(copy.backupId, copy.to));
  await startCopy(queues, "remote-sync", copy);
  for (const attempt of [1, 2, 3]) {
    await until(async () => attempts.at(-1) === attempt && (await state()) === "delayed");
    await startCopy(queues, "remote-sync", copy);
  }
  await until(async () => (await state()) === "completed");
  expect(attempts).toEqual([1, 2, 3, 4]);
});
