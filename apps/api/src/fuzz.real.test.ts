import { Agent, type IncomingMessage, request as httpRequest } from "node:http";
import { Writable } from "node:stream";
import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { createLogger } from "@trivault/core";
import { type RedisServer, startRedis } from "@trivault/testkit";
import fc from "fast-check";
import {
  matcherOf,
  openApiDocument,
  type OpenApiDocument,
  type Operation,
  operationsOf,
  schemaOfAnswer,
} from "../test/api-operations.ts";
import { BEARER, closeApps } from "../test/app-under-test.ts";
import { type RawRequest, requestsOf, validRequestsOf } from "../test/generate-requests.ts";
import { putSigned, serveSite } from "../test/served-site.ts";

afterEach(closeApps);

/**
 * Sends requests made from the served OpenAPI document to every route, right ones and wrong ones. Whatever comes: never a
 * 5xx, errors are problems, and answers are as the document says. `FUZZ_SEED` repeats a run, `FUZZ_RUNS` makes it longer.
 */
const SEED = Number(process.env["FUZZ_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const RUNS = Number(process.env["FUZZ_RUNS"] ?? 24);
/** As in the examples of the document. */
const ID = "20261123t020000z-7f3k9xq2";
/** These look at every tier or connection, or reckon passwords. */
const SLOW = /config\/check|\/test$|\/sync$|\/cleanup$|\/reports|\/alerts/;

let redis: RedisServer;
const agent = new Agent({ keepAlive: true, maxSockets: 8 });
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(async () => {
  agent.destroy();
  await redis?.stop();
});

interface Fuzzed {
  readonly url: string;
  /** Errors that the API logged: why a request failed. */
  readonly logged: readonly string[];
  readonly document: OpenApiDocument;
  readonly matches: ReturnType<typeof matcherOf>;
}

async function serve(): Promise<Fuzzed> {
  const logged: string[] = [];
  const write = (line: Buffer, _: string, done: () => void) => {
    logged.push(line.toString());
    done();
  };
  const { config, deps, url } = await serveSite(redis.url, {}, createLogger("error", "api", new Writable({ write })));
  for (const id of [ID, "20261122t020000z-00000001", "20261121t020000z-00000002"])
    await putSigned(config, deps.tiers[0], id);
  await putSigned(config, deps.tiers[1], ID);
  await deps.record({ action: "backup.verified", outcome: "ok", actor: "user:a@b", backupId: ID, tier: "local" });
  const served = await fetch(`${url}/api/v1/openapi.json`, { headers: BEARER });
  const document = openApiDocument.parse(await served.json());
  return { url, logged, document, matches: matcherOf(document) };
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

function send(url: string, operation: Operation, { path, headers, body }: RawRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const all = { ...BEARER, ...headers };
    const sent = httpRequest({ agent, hostname, port, method: operation.method, path, headers: all, timeout: 40_000 });
    sent.once("error", reject);
    sent.once("timeout", () => sent.destroy(new Error("no answer within 40 s")));
    sent.once("response", (response: IncomingMessage) => {
      const status = response.statusCode ?? 0;
      const type = (response.headers["content-type"] ?? "").split(";")[0] ?? "";
      let text = "";
      // It would go on for ever.
      if (type === "text/event-stream") {
        resolve({ status, type, body: "" });
        sent.destroy();
        return;
      }
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.once("end", () => resolve({ status, type, body: text }));
      response.once("error", reject);
    });
    sent.end(body ?? undefined);
  });
}

/** What is wrong with an answer; null where nothing is. */
function judge(
  { matches }: Fuzzed,
  operation: Operation,
  { status, type, body }: Answer,
  allow503: boolean,
): string | null {
  const documented = schemaOfAnswer(operation, status, type);
  if (documented === null) return `the status ${status} is not in the document`;
  if (status >= 500 && !(allow503 && status === 503)) return `it answers ${status}`;
  if (status >= 400 && type !== "application/problem+json" && documented.schema === null)
    return `an error of the type ${type}`;
  if (type === "text/event-stream" || status === 204) return null;
  if (documented.schema === null) return `the type ${type} is not in the document`;
  return matches(documented.schema, type.endsWith("json") ? JSON.parse(body) : body);
}

async function tryAll(
  site: Fuzzed,
  requests: (operation: Operation) => fc.Arbitrary<RawRequest>,
  runs: (operation: Operation) => number,
  allow503: boolean,
): Promise<{ wrong: string[]; statuses: Map<string, Set<number>> }> {
  const wrong: string[] = [];
  const statuses = new Map<string, Set<number>>();
  const one = async (operation: Operation, request: RawRequest) => {
    const answer = await send(site.url, operation, request).catch((error: unknown) => String(error));
    const problem = typeof answer === "string" ? answer : judge(site, operation, answer, allow503);
    if (typeof answer !== "string")
      statuses.set(operation.name, (statuses.get(operation.name) ?? new Set()).add(answer.status));
    if (problem === null) return;
    const shown = JSON.stringify({ ...request, answer }).slice(0, 1500);
    wrong.push(`${operation.name}: ${problem}\n  ${shown}`);
  };
  await Promise.all(
    operationsOf(site.document).map(async (operation) => {
      for (const request of fc.sample(requests(operation), { seed: SEED, numRuns: runs(operation) }))
        await one(operation, request);
    }),
  );
  return { wrong, statuses };
}

test(`no request makes it fail, and every answer is as documented (FUZZ_SEED=${SEED})`, async () => {
  const site = await serve();
  const { document } = site;
  const { wrong, statuses } = await tryAll(
    site,
    (operation) => requestsOf(operation, document),
    ({ path }) => (SLOW.test(path) ? Math.ceil(RUNS / 4) : RUNS),
    false,
  );
  expect({ wrong, logged: wrong.length > 0 ? site.logged.slice(0, 3) : [] }).toEqual({ wrong: [], logged: [] });
  expect(statuses.size).toBe(operationsOf(document).length);
  // The generator hits: nearly every route was asked for something that there is.
  if (process.env["FUZZ_SHOW"])
    console.log([...statuses].map(([name, seen]) => `${name}: ${[...seen].join(" ")}`).join("\n"));
  const never = [...statuses].filter(([, seen]) => ![...seen].some((status) => status < 300)).map(([name]) => name);
  expect(never.length).toBeLessThan(statuses.size / 4);
}, 120_000);

test("without Redis what needs it says 503 soon, and all else goes on", async () => {
  const site = await serve();
  const { document } = site;
  await redis.stop();
  const { wrong, statuses } = await tryAll(
    site,
    (operation) => validRequestsOf(operation, document),
    () => 2,
    true,
  );
  expect(wrong).toEqual([]);
  const away = [...statuses].filter(([, seen]) => seen.has(503)).map(([name]) => name);
  expect(away).toEqual(expect.arrayContaining(["GET /healthz", "POST /api/v1/backups"]));
  for (const name of ["listBackups", "listDatabases", "listTiers", "listAudit", "showHealth", "listKeeps"]) {
    const [path, methods] = Object.entries(document.paths).find(([, each]) => each["get"]?.operationId === name) ?? [];
    expect({ path, found: methods !== undefined }).toMatchObject({ found: true });
    expect(away).not.toContain(`GET ${path}`);
  }
}, 120_000);
