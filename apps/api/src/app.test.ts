import { Writable } from "node:stream";
import { afterEach, describe, expect, test } from "@jest/globals";
import { createLogger, TrivaultError } from "@trivault/core";
import { memoryStore, type Store, type Tier } from "@trivault/storage";
import { appUnderTest, BEARER, closeApps, putBackup } from "../test/app-under-test.ts";

afterEach(closeApps);

const OLD = "20261122t020000z-00000000";
const NEW = "20261123t020000z-11111111";
const LIST = { url: "/api/v1/backups", headers: BEARER };
const post = (payload: unknown, headers: Record<string, string> = {}) => ({
  method: "POST" as const,
  url: "/api/v1/backups",
  headers: { "content-type": "application/json", ...BEARER, ...headers },
  payload: typeof payload === "string" ? payload : JSON.stringify(payload),
});

/** A tier whose listing fails with `error`. */
function brokenTier(error: Error): Tier {
  const list = () => {
    throw error;
  };
  return { name: "local", kind: "local", store: { ...memoryStore(), list } };
}

describe("POST /api/v1/backups refuses", () => {
  test.each([
    ["no body at all", { method: "POST" as const, url: "/api/v1/backups", headers: BEARER }, 400, /^body: /],
    ["a body that is not JSON", post("{database:"), 400, /JSON/],
    ["another type than JSON", post("database=shop", { "content-type": "text/plain" }), 415, /Unsupported/],
    ["a missing database", post({}), 400, /^body\.database: /],
    ["a database of another type", post({ database: 7 }), 400, /^body\.database: .*string/],
    ["an empty name", post({ database: "" }), 400, /^body\.database: /],
    ["a name that no tier can hold", post({ database: "x".repeat(300) }), 400, /too long/],
    ["an unknown field", post({ database: "shop", force: true }), 400, /force/],
    ["a body too large", post({ database: "shop", pad: "x".repeat(20_000) }), 413, /too large/],
    ["an empty Idempotency-Key", post({ database: "shop" }, { "idempotency-key": "" }), 400, /idempotency-key/],
    ["a huge Idempotency-Key", post({ database: "shop" }, { "idempotency-key": "k".repeat(256) }), 400, /255/],
  ])("%s", async (_what, request, status, detail) => {
    const answer = await appUnderTest().app.inject(request);
    expect(answer.headers["content-type"]).toMatch(/^application\/problem\+json/);
    expect(answer.json()).toMatchObject({ status, code: "INPUT_INVALID", detail: expect.stringMatching(detail) });
    expect(answer.statusCode).toBe(status);
  });

  test("an unknown database, naming those there are", async () => {
    const answer = await appUnderTest().app.inject(post({ database: "shoq" }));
    expect(answer.statusCode).toBe(404);
    expect(answer.json()).toMatchObject({ code: "NOT_FOUND", detail: expect.stringMatching(/"shoq".*there is: shop/) });
  });

  test("soon, where Redis is away, and says so", async () => {
    const begun = performance.now();
    const answer = await appUnderTest().app.inject(post({ database: "shop" }, { "idempotency-key": "k" }));
    expect(performance.now() - begun).toBeLessThan(6000);
    expect(answer.statusCode).toBe(503);
    expect(answer.headers["retry-after"]).toBe("5");
    expect(answer.json()).toMatchObject({ code: "QUEUE_UNREACHABLE", detail: expect.stringContaining("Redis") });
  });
});

describe("GET /api/v1/health", () => {
  const HEALTH = { url: "/api/v1/health", headers: BEARER };

  test("answers BackupHealth and what is beside it, without Redis", async () => {
    const { app, deps } = appUnderTest();
    await putBackup(deps.tiers[0], NEW, true);
    const answer = await app.inject(HEALTH);
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toMatchObject({
      localBackups: 0, // its manifest is no good
      remoteBackups: 0,
      cloudBackups: 0,
      lastSyncTime: null,
      syncStatus: "success",
      diskUsage: { remote: "none" },
      ok: false,
      databases: [{ name: "shop", ok: false, problem: "shop has no backup" }],
      tiers: [{ name: "local", untrusted: 1 }, { name: "cloud" }],
    });
    expect((await app.inject({ url: HEALTH.url })).statusCode).toBe(401);
  });

  test("is what the observer saw last: who asks does not make the tiers be asked", async () => {
    let listings = 0;
    const store = memoryStore("local");
    const counting: Store = {
      ...store,
      list(...args) {
        listings++;
        return store.list(...args);
      },
    };
    const { app, deps } = appUnderTest({ tiers: [{ name: "local", kind: "local", store: counting }] });
    let looks = 0;
    deps.observer.onLook(() => looks++, new AbortController().signal);
    const ask = async () => (await app.inject(HEALTH)).body;
    const first = await ask();
    const ofOneLook = listings;
    const answers = new Set([first, ...(await Promise.all(Array.from({ length: 100 }, ask)))]);
    // The observer may look again by itself meanwhile.
    expect(looks).toBeLessThan(20);
    expect(answers.size).toBeLessThanOrEqual(looks);
    expect(listings).toBeLessThanOrEqual(ofOneLook * (looks + 1));
  });
});

describe("GET /api/v1/backups", () => {
  test("lists all tiers, newest first, with who holds what", async () => {
    const { app, deps } = appUnderTest();
    await putBackup(deps.tiers[0], OLD, true);
    await putBackup(deps.tiers[0], NEW, true);
    await putBackup(deps.tiers[1], NEW, false);
    const answer = await app.inject(LIST);
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual({
      backups: [
        {
          id: NEW,
          database: "shop",
          startedAt: "2026-11-23T02:00:00.000Z",
          bytes: 9,
          copies: [
            { tier: "local", complete: false, state: "untrusted", bytes: 9 }, // nobody signed its manifest
            { tier: "cloud", complete: false, state: "partial", bytes: 7 },
          ],
          links: { self: `/api/v1/backups/${NEW}`, queues: "/queues" },
        },
        expect.objectContaining({ id: OLD }),
      ],
      total: 2,
      unreachable: [],
    });
  });

  test("of one database, and no more than asked for", async () => {
    const { app, deps } = appUnderTest();
    await putBackup(deps.tiers[0], OLD, true);
    await putBackup(deps.tiers[0], NEW, true, "other");
    const ids = async (query: string) => {
      const answer = await app.inject({ ...LIST, url: `${LIST.url}?${query}` });
      return { ids: answer.json().backups.map(({ id }: { id: string }) => id), total: answer.json().total };
    };
    expect(await ids("database=shop")).toEqual({ ids: [OLD], total: 1 });
    expect(await ids("database=nobody")).toEqual({ ids: [], total: 0 });
    expect(await ids("limit=1")).toEqual({ ids: [NEW], total: 2 });
  });

  test.each(["limit=0", "limit=1001", "limit=all", `database=${"x".repeat(300)}`, "page=2"])(
    "refuses ?%s",
    async (query) => {
      const answer = await appUnderTest().app.inject({ ...LIST, url: `${LIST.url}?${query}` });
      expect(answer.statusCode).toBe(400);
      expect(answer.json().detail).toMatch(/^querystring/);
    },
  );

  test("a tier that fails is reported, and hides nothing of the others", async () => {
    const good: Tier = { name: "cloud", kind: "s3", store: memoryStore() };
    await putBackup(good, NEW, true);
    const bad = brokenTier(new TrivaultError("STORE_UNREACHABLE", "no route to host"));
    const answer = await appUnderTest({ tiers: [bad, good] }).app.inject(LIST);
    expect(answer.json()).toMatchObject({
      backups: [{ id: NEW }],
      unreachable: [{ tier: "local", reason: "no route to host" }],
    });
  });
});

describe("GET /api/v1/backups/:id without Redis", () => {
  test("answers from the tiers alone, and says so", async () => {
    const { app, deps } = appUnderTest();
    await putBackup(deps.tiers[0], NEW, true);
    const show = async () => (await app.inject({ ...LIST, url: `${LIST.url}/${NEW}` })).json();
    expect(await show()).toMatchObject({
      id: NEW,
      database: "shop",
      backupId: NEW,
      status: "incomplete",
      queue: "unreachable",
      note: expect.stringContaining("tiers"),
      stages: [],
      copies: [{ tier: "local", complete: true }],
    });
    await putBackup(deps.tiers[1], NEW, true);
    expect(await show()).toMatchObject({ status: "completed" });
  });

  test("finds a backup of a database that is no longer configured", async () => {
    const { app, deps } = appUnderTest();
    await putBackup(deps.tiers[1], OLD, false, "retired");
    const answer = await app.inject({ ...LIST, url: `${LIST.url}/${OLD}` });
    expect(answer.json()).toMatchObject({ database: "retired", status: "unknown" });
  });

  test("claims no absence that it cannot know of", async () => {
    const answer = await appUnderTest().app.inject({ ...LIST, url: `${LIST.url}/${NEW}` });
    expect(answer.statusCode).toBe(503);
    expect(answer.json()).toMatchObject({ code: "QUEUE_UNREACHABLE", detail: expect.stringContaining(NEW) });
  });

  test.each(["latest", "..%2f..%2fetc%2fpasswd", `${NEW}%00`, `${NEW}.`, "%2e%2e", NEW.toUpperCase()])(
    "refuses the id %s",
    async (id) => {
      const answer = await appUnderTest().app.inject({ ...LIST, url: `${LIST.url}/${id}` });
      expect([400, 404]).toContain(answer.statusCode);
      expect(answer.json().code).toMatch(/INPUT_INVALID|NOT_FOUND/);
    },
  );
});

describe("errors", () => {
  test("one that nobody foresaw is logged whole, and named by its request id alone", async () => {
    const lines: string[] = [];
    const write = (chunk: Buffer, _encoding: string, done: () => void) => {
      lines.push(chunk.toString());
      done();
    };
    const log = createLogger("info", "test", new Writable({ write }));
    // No tier is a list: what follows is a TypeError, as a bug of ours would be.
    const tiers = { length: 2 } as unknown as readonly Tier[];
    const answer = await appUnderTest({ log, tiers }).app.inject(LIST);
    expect(answer.statusCode).toBe(500);
    expect(answer.json()).toMatchObject({ code: "INTERNAL", detail: expect.not.stringContaining("map") });
    expect(answer.body).not.toContain(".ts:");
    const logged = lines.map((line) => JSON.parse(line)).find(({ err }) => err !== undefined);
    expect(logged).toMatchObject({
      reqId: answer.json().requestId,
      err: { stack: expect.stringContaining("iterable") },
    });
  });

  test("9.C12 a stranger's path of any length is logged by its beginning", async () => {
    const lines: string[] = [];
    const log = createLogger("info", "test", { write: (line) => void lines.push(line) });
    const { statusCode } = await appUnderTest({ log }).app.inject({ url: `/${"a".repeat(15_000)}` });
    expect(statusCode).toBe(401);
    expect(lines.join("")).toContain("/aaa");
    for (const line of lines) expect(line.length).toBeLessThan(1000);
  });

  test("a path that cannot be decoded", async () => {
    const answer = await appUnderTest().app.inject({ ...LIST, url: `${LIST.url}/%zz` });
    expect(answer.json()).toMatchObject({ status: 400, code: "INPUT_INVALID" });
    expect(answer.headers["content-type"]).toMatch(/^application\/problem\+json/);
  });

  test("an unknown path is a problem too, and a caller cannot choose the request id", async () => {
    const answer = await appUnderTest().app.inject({ url: "/api/v2", headers: { ...BEARER, "request-id": "mine" } });
    expect(answer.statusCode).toBe(404);
    expect(answer.json().requestId).toMatch(/^[0-9a-f-]{36}$/);
  });
});

test("/healthz says no more than one word, and 503 where Redis is away", async () => {
  const answer = await appUnderTest().app.inject({ url: "/healthz" });
  expect(answer.statusCode).toBe(503);
  expect(answer.json()).toEqual({ status: "unavailable" });
});

test("the OpenAPI 3.1 document holds every route with its answers, and needs the token", async () => {
  const { app } = appUnderTest();
  const urls = new Set<string>();
  app.addHook("onRoute", ({ url }) => void urls.add(url));
  const document = (await app.inject({ url: "/api/v1/openapi.json", headers: BEARER })).json();
  expect(document.openapi).toBe("3.1.0");
  const routes = [...urls].filter((url) => /^\/(?:api\/v1|healthz)/.test(url) && url !== "/api/v1/openapi.json");
  expect(routes.length).toBeGreaterThan(30);
  expect(Object.keys(document.paths).toSorted()).toEqual(
    routes.map((url) => url.replaceAll(/:(\w+)/g, "{$1}")).toSorted(),
  );
  expect(Object.keys(document.paths["/api/v1/backups"].post.responses).toSorted()).toEqual([
    "200",
    "202",
    "4XX",
    "5XX",
  ]);
  expect(document.components.schemas).toHaveProperty("BackupDetails.properties.stages");
  expect(document.security).toEqual([{ token: [] }]);
  expect(document.paths["/healthz"].get.security).toEqual([]);
});
