import { once } from "node:events";
import { connect } from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { createToken, revokeToken } from "@trivault/access";
import { silentLogger } from "@trivault/core";
import { createProcessMetrics } from "@trivault/metrics";
import { connectRedis, type Handler, requestBackup, siteJobKey, startWorker } from "@trivault/queue";
import { makeTempDir, type RedisServer, startRedis } from "@trivault/testkit";
import { BEARER, closeApps, TOKEN } from "../test/app-under-test.ts";
import { type EventReader, readEvents } from "../test/read-events.ts";
import { type ServedSite, serveSite } from "../test/served-site.ts";
import { startApi } from "./serve.ts";

afterEach(closeApps);

let redis: RedisServer;
const readers: EventReader[] = [];
beforeAll(async () => {
  redis = await startRedis();
});
afterEach(() => {
  for (const reader of readers.splice(0)) reader.close();
});
afterAll(() => redis?.stop());

async function listen(
  site: ServedSite,
  query = "",
  options: Parameters<typeof readEvents>[1] = {},
): Promise<EventReader> {
  const reader = await readEvents(`${site.url}/api/v1/events${query}`, options);
  readers.push(reader);
  return reader;
}

const said = (site: ServedSite, database: string) =>
  site.deps.record({ action: "backup.requested", outcome: "ok", actor: "user:a@b", database });

describe("GET /api/v1/events", () => {
  test("sends what is recorded, and what was missed to whoever comes back, each once and in order", async () => {
    const site = await serveSite(redis.url);
    const first = await listen(site);
    expect(first.headers).toMatchObject({
      "content-type": expect.stringMatching(/^text\/event-stream/),
      "x-accel-buffering": "no",
    });
    await said(site, "one");
    const one = await first.until(({ data }) => data.database === "one");
    expect(one).toMatchObject({ event: "record", id: one.data.seq });
    first.close();
    for (const name of ["two", "three", "four"]) await said(site, name);
    const second = await listen(site, "", { lastEventId: one.data.seq });
    await second.until(({ data }) => data.database === "four");
    await said(site, "five");
    await second.until(({ data }) => data.database === "five");
    const records = second.events.filter(({ event }) => event === "record");
    expect(records.map(({ data }) => data.database)).toEqual(["two", "three", "four", "five"]);
    expect(records.map(({ id }) => id)).toEqual(records.map(({ data }) => data.seq));
  });

  test("sends each look at the site, and shows a run as it moves, to its end", async () => {
    const site = await serveSite(redis.url);
    const { queues, redis: connection, config } = site.deps;
    const { runId } = await requestBackup(queues, connection, { database: "shop", actor: "user:a@b" });
    const all = await listen(site);
    const mine = await listen(site, `?backup=${runId}`);
    const others = await listen(site, "?backup=20261123t020000z-7f3k9xq2");
    expect(await mine.until(({ event }) => event === "run")).toMatchObject({ data: { id: runId, status: "queued" } });
    const release = Promise.withResolvers<void>();
    const handler: Handler = {
      async run(data, { progress }, job) {
        await job.update({ ...(data as object), current: runId });
        progress({ bytes: 4096, segments: 1 });
        await release.promise;
        throw Object.assign(new Error("no such database"), { name: "UnrecoverableError" });
      },
    };
    const waiting = connectRedis(redis.url, "wait");
    const worker = startWorker(waiting, "dump", config.worker, silentLogger(), handler, {
      key: siteJobKey(config.backupDir),
    });
    const moving =
      (bytes: number) => (each: { event: string; data: { stages?: { progress: { bytes: number } | null }[] } }) =>
        each.event === "run" && each.data.stages?.[0]?.progress?.bytes === bytes;
    expect(await all.until(moving(4096))).toMatchObject({
      data: { id: runId, kind: "backup", status: "running", backupId: runId },
    });
    await mine.until(moving(4096));
    const late = await listen(site);
    await late.until(moving(4096));
    release.resolve();
    await all.until(({ event, data }) => event === "run" && data.status === "failed");
    await mine.until(({ event, data }) => event === "run" && data.status === "failed");
    await worker.close(0);
    waiting.disconnect();
    await site.deps.observer.refresh();
    expect(await all.until(({ event }) => event === "overview")).toMatchObject({ data: { ok: false } });
    expect(others.events.filter(({ event }) => event === "run")).toEqual([]);
    expect(mine.events.filter(({ event }) => event === "overview")).toEqual([]);
  });

  test("goes on without Redis, and ends at a shutdown", async () => {
    await using own = await startRedis();
    const site = await serveSite(own.url);
    const reader = await listen(site);
    await own.stop();
    await said(site, "still");
    await reader.until(({ data }) => data.database === "still");
    site.closing.abort();
    await reader.ended;
  });

  test("ends soon after the token of its caller was revoked; others go on", async () => {
    await using dir = await makeTempDir("tv-events");
    const accessFile = path.join(dir.path, "access.json");
    const watcher = { name: "watcher", role: "viewer", createdBy: "test", expiresAt: null } as const;
    const token = await createToken(accessFile, watcher, new Date());
    const site = await serveSite(redis.url, { BACKUP_ACCESS_FILE: accessFile });
    const [revoked, other] = [await listen(site, "", { token }), await listen(site)];
    await said(site, "before");
    await revoked.until(({ data }) => data.database === "before");
    await revokeToken(accessFile, "watcher");
    await revoked.ended;
    await said(site, "after");
    await other.until(({ data }) => data.database === "after");
    expect(revoked.events.map(({ data }) => data.database)).not.toContain("after");
  });

  test("one caller has ten, and no more until one is closed", async () => {
    const site = await serveSite(redis.url);
    for (let n = 0; n < 10; n++) expect((await listen(site)).status).toBe(200);
    const refused = await fetch(`${site.url}/api/v1/events`, { headers: BEARER });
    expect(refused.status).toBe(429);
    expect(await refused.json()).toMatchObject({ code: "TOO_MANY_STREAMS" });
    readers.pop()?.close();
    const statusOfNext = async () => (await listen(site)).status;
    for (let tries = 0; (await statusOfNext()) !== 200; tries++) {
      expect(tries).toBeLessThan(100);
      await sleep(50);
    }
  });

  test("one who does not read is dropped", async () => {
    const site = await serveSite(redis.url);
    const { hostname, port } = new URL(site.url);
    const socket = connect(Number(port), hostname);
    socket.write(`GET /api/v1/events HTTP/1.1\r\nhost: ${hostname}\r\nauthorization: Bearer ${TOKEN}\r\n\r\n`);
    await once(socket, "data");
    socket.pause();
    socket.on("error", () => undefined);
    const other = await listen(site);
    // More than the kernel's buffers and ours hold, in few events.
    const details = Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`field${n}`, "x".repeat(900)]));
    for (let n = 0; n < 600; n++) {
      await site.deps.record({ action: "backup.requested", outcome: "ok", actor: "user:a@b", details });
      if (n % 100 === 99) {
        await other.until(({ data }) => (data.seq ?? 0) > n - 50);
        if (await isDropped(site)) break;
      }
    }
    expect(await isDropped(site)).toBe(true);
    socket.destroy();
    await said(site, "last");
    await other.until(({ data }) => data.database === "last");
  });
});

/** The server has let go of the stream that nobody reads; the one that is read is left. */
async function isDropped({ app }: ServedSite): Promise<boolean> {
  const connections = await new Promise<number>((resolve) =>
    app.server.getConnections((_error, count) => resolve(count)),
  );
  return connections <= 1;
}

describe("an open stream holds up", () => {
  const start = async () => {
    const site = await serveSite(redis.url);
    const config = { ...site.config, api: { ...site.config.api, port: 0 } };
    const processMetrics = createProcessMetrics("0.0.0");
    const api = await startApi(config, redis.url, silentLogger(), { processMetrics, tracing: null });
    const reader = await readEvents(`${api.url}/api/v1/events`);
    readers.push(reader);
    return { api, config, reader, end: () => processMetrics.close() };
  };

  test("no shutdown", async () => {
    const { api, reader, end } = await start();
    await api.close();
    await reader.ended;
    end();
  }, 30_000);

  test("no change of the configuration, after which a new one is opened", async () => {
    const { api, config, reader, end } = await start();
    (await api.prepare({ ...config, logLevel: "warn" })).apply();
    await reader.ended;
    const next = await readEvents(`${api.url}/api/v1/events`);
    expect(next.status).toBe(200);
    next.close();
    await api.close();
    end();
  }, 30_000);
});
