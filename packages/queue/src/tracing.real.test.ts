import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { createLogger, resolveConfig, silentLogger } from "@trivault/core";
import { type RedisServer, startRedis } from "@trivault/testkit";
import type { Redis } from "ioredis";
import { requestBackup } from "./producer.ts";
import type { JobKey } from "./job-key.ts";
import { closeQueues, openQueues, type Queues } from "./queues.ts";
import { connectRedis } from "./redis.ts";
import { addSlots, slotJobId } from "./slots.ts";
import { startTracing, type Tracing } from "./tracing.ts";
import { type JobEnd, startWorker } from "./worker.ts";

const ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT";
const DELAY = "OTEL_BSP_SCHEDULE_DELAY";
const TIMEOUT = "OTEL_EXPORTER_OTLP_TIMEOUT";
/** Nothing listens on port 1; a span that is sent there is dropped. */
const AWAY = "http://127.0.0.1:1";

const key: JobKey = async () => Buffer.alloc(32, "of the tests");
let server: RedisServer;
let redis: Redis;
let queues: Queues | null = null;
let tracing: Tracing | null = null;
beforeAll(async () => {
  server = await startRedis();
});
beforeEach(() => {
  redis = connectRedis(server.url, "wait");
});
afterEach(async () => {
  delete process.env[ENDPOINT];
  delete process.env[TIMEOUT];
  delete process.env[DELAY];
  if (queues) await closeQueues(queues);
  queues = null;
  await tracing?.close();
  tracing = null;
  redis.disconnect();
});
afterAll(() => server.stop());

const start = async (log = silentLogger()) => {
  process.env[ENDPOINT] = AWAY;
  process.env[TIMEOUT] = "300"; // milliseconds; by default it is tried for longer than a shutdown waits
  process.env[DELAY] = "100";
  tracing = await startTracing("test", "1.0.0", log);
  queues = openQueues(redis, key, tracing);
  return { tracing, queues };
};
let requests = 0;
/** For another database each time: one that waits would be joined, and is another request's. */
const request = (of: Queues) => requestBackup(of, redis, { database: `shop${++requests}`, actor: "token:default" });
const traceOf = (metadata: string | undefined) => /"00-([0-9a-f]{32})-/.exec(metadata ?? "")?.[1];

test("is off where no collector is named, and then no job names a trace", async () => {
  expect(await startTracing("test", "1.0.0", silentLogger())).toBeNull();
  queues = openQueues(redis, key);
  const { runId } = await request(queues);
  await addSlots(queues, [{ database: "a", slot: new Date(0), priority: 5 }]);
  const jobs = [await queues.dump.getJob(runId), await queues.dump.getJob(slotJobId("a", new Date(0)))];
  expect(jobs.map((job) => job?.opts.telemetry)).toEqual([undefined, undefined]);
});

test.each(["collector:4318", "nonsense", "ftp://collector"])("%s is no collector", async (endpoint) => {
  process.env[ENDPOINT] = endpoint;
  const refused = { code: "CONFIG_INVALID", message: expect.stringContaining(ENDPOINT) };
  await expect(startTracing("test", "1.0.0", silentLogger())).rejects.toMatchObject(refused);
});

test("runs of one round of the scheduler are a trace each, and so are requests", async () => {
  const on = await start();
  const slot = new Date(60_000);
  await addSlots(on.queues, [
    { database: "a", slot, priority: 5 },
    { database: "b", slot, priority: 5 },
  ]);
  const { runId } = await request(on.queues);
  const ids = [slotJobId("a", slot), slotJobId("b", slot), runId];
  const jobs = await Promise.all(ids.map((id) => on.queues.dump.getJob(id)));
  const traces = jobs.map((job) => traceOf(job?.opts.telemetry?.metadata));
  expect(traces).not.toContain(undefined);
  expect(new Set(traces).size).toBe(3);
});

test("what a request starts goes on with the caller's trace", async () => {
  const on = await start();
  const caller = "0af7651916cd43dd8448eb211c80319c";
  const started = Promise.withResolvers<string>();
  const end = on.tracing?.enter("POST /x", { traceparent: `00-${caller}-b7ad6b7169203331-01` }, () => {
    request(on.queues).then(({ runId }) => started.resolve(runId), started.reject);
  });
  const job = await on.queues.dump.getJob(await started.promise);
  end?.({ "http.response.status_code": 202 });
  expect(traceOf(job?.opts.telemetry?.metadata)).toBe(caller);
});

test("a collector that is away disturbs no job and no shutdown, and is logged once", async () => {
  const lines: string[] = [];
  const warned = Promise.withResolvers<void>();
  const write = (line: string) => {
    lines.push(line);
    warned.resolve();
  };
  const on = await start(createLogger("info", "test", { write }));
  const ends: JobEnd[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  await redis.flushall();
  await request(on.queues);
  const config = resolveConfig({ WORKER_TAKEOVER_SECONDS: "5" }, "read").worker;
  const onJob = () => (end: JobEnd) => {
    ends.push(end);
    resolve();
  };
  const run = async () => ({ database: "shop", bytes: 5 });
  const worker = startWorker(redis, "dump", config, silentLogger(), { run }, { onJob, key, tracing: on.tracing });
  await promise;
  await worker.close(0);
  expect(ends).toMatchObject([{ outcome: "completed", bytes: 5 }]);
  await warned.promise;
  await request(on.queues);
  await on.tracing?.close();
  expect(lines.filter((line) => line.includes("traces cannot be sent"))).toHaveLength(1);
});
