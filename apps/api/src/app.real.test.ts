import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { silentLogger } from "@trivault/core";
import { connectRedis, type Handler, startWorker } from "@trivault/queue";
import { type RedisServer, startRedis, until } from "@trivault/testkit";
import {
  type AppUnderTest,
  appUnderTest,
  BEARER,
  closeApps,
  JOB_KEY,
  putBackup,
  TOKEN,
} from "../test/app-under-test.ts";

afterEach(closeApps);

const BACKUPS = "/api/v1/backups";
const UNKNOWN = "20261123t020000z-11111111";
const BASIC = { authorization: `Basic ${Buffer.from(`admin:${TOKEN}`).toString("base64")}` };

let server: RedisServer;
let underTest: AppUnderTest;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());
beforeEach(async () => {
  underTest = appUnderTest({ redisUrl: server.url });
  await underTest.deps.redis.flushall();
});

const post = (headers: Record<string, string> = {}) =>
  underTest.app.inject({
    method: "POST",
    url: BACKUPS,
    headers: { ...BEARER, ...headers },
    payload: { database: "shop" },
  });
const show = async (id: string) => {
  const answer = await underTest.app.inject({ url: `${BACKUPS}/${id}`, headers: BEARER });
  return { status: answer.statusCode, body: answer.json() };
};

/** As it is shown once `holds`. */
const shown = async (id: string, holds: (body: ReturnType<typeof JSON.parse>) => boolean) => {
  let answer = await show(id);
  await until(async () => holds((answer = await show(id)).body));
  return answer;
};

/** A real worker of the dump queue that does what `run` says, until the block ends. */
function dumpWorker(run: Handler["run"]): AsyncDisposable {
  const redis = connectRedis(server.url, "wait");
  const worker = startWorker(redis, "dump", underTest.deps.config.worker, silentLogger(), { run }, { key: JOB_KEY });
  return {
    async [Symbol.asyncDispose]() {
      await worker.close(0);
      redis.disconnect();
    },
  };
}

describe("POST", () => {
  test("enqueues one dump, and says where to look", async () => {
    const answer = await post();
    expect(answer.statusCode).toBe(202);
    const { id } = answer.json();
    expect(answer.json()).toEqual({
      id,
      database: "shop",
      status: "queued",
      joined: false,
      links: { self: `${BACKUPS}/${id}`, queues: "/queues" },
    });
    expect(answer.headers.location).toBe(`${BACKUPS}/${id}`);
    const [job, ...more] = await underTest.deps.queues.dump.getJobs();
    expect(more).toEqual([]);
    expect(job).toMatchObject({ id, data: { database: "shop", actor: "token:default" } });
    expect(await show(id)).toMatchObject({
      status: 200,
      body: { id, status: "queued", queue: "known", note: null, stages: [{ stage: "dump", state: "waiting" }] },
    });
  });

  test("the same Idempotency-Key answers with the same run, even when both come at once", async () => {
    const both = await Promise.all([post({ "idempotency-key": "once" }), post({ "idempotency-key": "once" })]);
    expect(both.map(({ statusCode }) => statusCode).toSorted((a, b) => a - b)).toEqual([200, 202]);
    const again = await post({ "idempotency-key": "once" });
    expect(again.statusCode).toBe(200);
    expect(new Set([...both, again].map((answer) => answer.json().id)).size).toBe(1);
    expect(await underTest.deps.queues.dump.getJobCountByTypes("waiting")).toBe(1);
  });

  test("9.C24 a request for a database that waits joins it, whatever its key", async () => {
    const { id } = (await post()).json();
    for (const joining of [await post({ "idempotency-key": "twice" }), await post()]) {
      expect(joining.statusCode).toBe(200);
      expect(joining.json()).toMatchObject({ id, joined: true });
    }
    expect(await underTest.deps.queues.dump.getJobCountByTypes("waiting")).toBe(1);
  });
});

describe("GET one", () => {
  test("follows a run from queued to complete on all tiers", async () => {
    const { id } = (await post({ "idempotency-key": "k" })).json();
    const release = Promise.withResolvers<void>();
    await using _worker = dumpWorker(async (data, { progress }, job) => {
      await job.update({ ...(data as object), current: id });
      progress({ bytes: 4096, segments: 1 });
      await release.promise;
      return {};
    });
    const running = await shown(id, ({ stages }) => stages[0]?.progress !== null);
    expect(running.body).toMatchObject({
      database: "shop",
      backupId: id,
      status: "running",
      stages: [
        { stage: "dump", tier: null, state: "active", progress: { bytes: 4096, segments: 1 }, finishedAt: null },
        { stage: "encrypt", state: "waiting" },
        { stage: "cloud-upload", tier: "cloud", state: "waiting" },
      ],
      copies: [],
    });
    expect(new Date(running.body.stages[0].startedAt).getTime()).toBeGreaterThan(Date.now() - 60_000);
    expect((await post({ "idempotency-key": "k" })).json()).toMatchObject({ id, status: "running" });

    for (const tier of underTest.deps.tiers) await putBackup(tier, id, true);
    release.resolve();
    const dumped = await shown(id, ({ stages }) => stages[0].state === "completed");
    expect(dumped.body).toMatchObject({
      status: "running",
      copies: [
        { tier: "local", complete: true },
        { tier: "cloud", complete: true },
      ],
    });
  });

  test("a run that failed, with why; its copies are those of the newest attempt", async () => {
    const { id } = (await post()).json();
    await putBackup(underTest.deps.tiers[0], UNKNOWN, false);
    await using _worker = dumpWorker(async (data, _context, job) => {
      await job.update({ ...(data as object), current: UNKNOWN });
      throw Object.assign(new Error("no such database"), { name: "UnrecoverableError" });
    });
    const { body } = await shown(id, ({ status }) => status === "failed");
    expect(body).toMatchObject({
      id,
      backupId: UNKNOWN,
      stages: [{ state: "failed", problem: "no such database" }, {}, {}],
      copies: [{ tier: "local", complete: false }],
    });
    expect(await show(UNKNOWN)).toMatchObject({ body: { status: "failed", queue: "known" } });
  });

  test("what the queue has forgotten comes from the tiers; what nobody knows is 404", async () => {
    expect(await show(UNKNOWN)).toMatchObject({ status: 404, body: { code: "NOT_FOUND" } });
    for (const tier of underTest.deps.tiers) await putBackup(tier, UNKNOWN, true);
    expect(await show(UNKNOWN)).toMatchObject({
      status: 200,
      body: { status: "completed", queue: "forgotten", note: expect.stringContaining("tiers"), stages: [] },
    });
  });
});

describe("Bull Board", () => {
  const get = (url: string, headers: Record<string, string> = BASIC) => underTest.app.inject({ url, headers });

  test("asks who it is", async () => {
    const answer = await get("/queues", {});
    expect(answer.statusCode).toBe(401);
    expect(answer.headers["www-authenticate"]).toContainEqual(expect.stringMatching(/^Basic realm=/));
  });

  test("renders, with its scripts and a policy that lets them run", async () => {
    const page = await get("/queues");
    expect(page.statusCode).toBe(200);
    expect(page.body).toContain("<title>Trivault</title>");
    expect(page.headers["content-security-policy"]).toContain("script-src 'self'");
    const [, script] = /src="(static\/js\/main[^"]+)"/.exec(page.body) ?? [];
    const answer = await get(`/queues/${script}`);
    expect(answer.statusCode).toBe(200);
    expect(answer.headers["content-type"]).toMatch(/javascript/);
    expect((await get(`/queues/${script}`, {})).statusCode).toBe(401);
    expect((await get("/queues/static/..%2findex.ejs")).statusCode).not.toBe(200);
  });

  test("shows every queue, described, and lets nothing be changed", async () => {
    const { id } = (await post()).json();
    const { queues } = (await get("/queues/api/queues?activeQueue=dump&page=1&jobsPerPage=10")).json();
    expect(queues.map(({ name }: { name: string }) => name)).toEqual([
      "dump",
      "encrypt",
      "remote-sync",
      "cloud-upload",
      "restore",
      "verify",
      "maintenance",
    ]);
    for (const queue of queues) {
      expect(queue).toMatchObject({ readOnlyMode: true, description: expect.stringMatching(/.{40}/) });
    }
    expect(queues[0].jobs).toMatchObject([{ id, data: { database: "shop", actor: "token:default" } }]);
    const asked = [
      { method: "PUT", url: `/queues/api/queues/dump/${id}/clean` },
      { method: "PUT", url: "/queues/api/queues/dump/obliterate", payload: { force: true } },
      { method: "POST", url: "/queues/api/queues/dump/add", payload: { name: "dump", data: {} } },
      { method: "PATCH", url: `/queues/api/queues/dump/${id}/update-data`, payload: { jobData: {} } },
      { method: "PUT", url: "/queues/api/queues/pause" },
    ] as const;
    for (const request of asked) {
      const { statusCode } = await underTest.app.inject({ ...request, headers: BASIC });
      expect([request.url, statusCode]).toEqual([request.url, request.url.endsWith("/pause") ? 200 : 405]);
    }
    expect(await underTest.deps.queues.dump.isPaused()).toBe(false);
    expect(await underTest.deps.queues.dump.getJobs()).toHaveLength(1);
  });
});

describe("Redis in trouble", () => {
  const health = async () => (await underTest.app.inject({ url: "/healthz" })).statusCode;
  const boardData = () => underTest.app.inject({ url: "/queues/api/queues", headers: BASIC });

  test("/healthz notices a Redis that answers but takes no writes", async () => {
    const { redis } = underTest.deps;
    expect(await health()).toBe(200);
    await redis.config("SET", "maxmemory", "1");
    expect(await redis.ping()).toBe("PONG");
    expect(await health()).toBe(503);
    await redis.config("SET", "maxmemory", "0");
    expect(await health()).toBe(200);
  });

  test("stopped: POST says 503 soon, the list still works, and all comes back with it", async () => {
    await using own = await startRedis();
    underTest = appUnderTest({ redisUrl: own.url });
    for (const tier of underTest.deps.tiers) await putBackup(tier, UNKNOWN, true);
    expect(await health()).toBe(200);
    await own.stop();
    const begun = performance.now();
    const [posted, healthy, board] = await Promise.all([post(), health(), boardData()]);
    for (const answer of [posted, board]) {
      expect(answer.json()).toMatchObject({ status: 503, code: "QUEUE_UNREACHABLE" });
    }
    expect(healthy).toBe(503);
    expect(performance.now() - begun).toBeLessThan(8000);
    const list = await underTest.app.inject({ url: BACKUPS, headers: BEARER });
    expect(list.json()).toMatchObject({ backups: [{ id: UNKNOWN }], unreachable: [] });
    expect(await show(UNKNOWN)).toMatchObject({ status: 200, body: { status: "completed", queue: "unreachable" } });

    await using _again = await startRedis({ args: ["--port", String(own.port)] });
    await until(async () => (await health()) === 200);
    expect((await post()).statusCode).toBe(202);
  }, 30_000);

  test("frozen: nothing waits for it for long", async () => {
    await using own = await startRedis();
    underTest = appUnderTest({ redisUrl: own.url });
    expect(await health()).toBe(200);
    process.kill(own.pid, "SIGSTOP");
    try {
      const begun = performance.now();
      const [healthy, posted, board] = await Promise.all([health(), post(), boardData()]);
      expect([healthy, posted.statusCode, board.statusCode]).toEqual([503, 503, 503]);
      expect(performance.now() - begun).toBeLessThan(15_000);
    } finally {
      process.kill(own.pid, "SIGCONT");
    }
  }, 30_000);
});
