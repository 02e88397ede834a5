import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { createToken, mayAct, ROLES } from "@trivault/access";
import { makeTempDir, type TempDir } from "@trivault/testkit";
import type { RouteOptions } from "fastify";
import { appUnderTest } from "../test/app-under-test.ts";
import type { App } from "./deps.ts";
import type { RouteAccess } from "./route-access.ts";

/** Each route of the app, as it is: one that is added is tested without anybody thinking of it. */
interface Rule {
  readonly method: string;
  readonly url: string;
  readonly access: RouteAccess | undefined;
}

const YEAR = 365 * 86_400_000;
let dir: TempDir;
let accessFile: string;
const headers: Record<string, Record<string, string>> = { anonymous: {} };
beforeAll(async () => {
  dir = await makeTempDir("tv-routes");
  accessFile = path.join(dir.path, "access.json");
  const make = async (name: string, role: (typeof ROLES)[number], now: number, expiresAt: number | null) => {
    const expires = expiresAt === null ? null : new Date(expiresAt);
    const token = await createToken(accessFile, { name, role, createdBy: "test", expiresAt: expires }, new Date(now));
    headers[name] = { authorization: `Bearer ${token}` };
  };
  for (const role of ROLES) await make(role, role, Date.now(), null);
  await make("expired", "admin", Date.now() - YEAR, Date.now() - 1000);
});
afterAll(() => dir.remove());

async function collect(addTo: (app: App) => void = () => undefined): Promise<{ app: App; rules: Rule[] }> {
  const { app } = appUnderTest({ api: { accessFile } });
  const routes: RouteOptions[] = [];
  app.addHook("onRoute", (route) => void routes.push(route));
  app.register(async (plugin) => addTo(plugin as unknown as App));
  await app.ready();
  // Looked at now: plugins' routes get their rule by a hook that runs after this one.
  const rules = routes.flatMap(({ method, url, config }) =>
    [method].flat().map((each): Rule => ({ method: each, url, access: config?.access })),
  );
  return { app, rules };
}

const withoutRule = (rules: readonly Rule[]) => rules.filter(({ access }) => access === undefined);

/** With nothing that could make a handler do anything: whoever is let in gets as far as 400, 404 or 503. */
async function knock(app: App, { method, url }: Rule, as: string) {
  const filled = url.replaceAll(/:\w+/g, "x").replace("*", "x");
  const query = url.endsWith("/events") ? "?from=nonsense" : ""; // a stream would not end
  return app.inject({ method: method as "GET", url: filled + query, headers: { ...headers[as] } });
}

test("every route says who may call it", async () => {
  const { rules } = await collect();
  expect(rules.length).toBeGreaterThan(30);
  expect(withoutRule(rules)).toEqual([]);
});

test("one that does not say is found, and closed to all", async () => {
  const { app, rules } = await collect((plugin) => {
    plugin.get("/api/v1/forgotten", async () => "secret");
  });
  expect(
    withoutRule(rules)
      .map(({ method }) => method)
      .toSorted(),
  ).toEqual(["GET", "HEAD"]);
  const answers = await Promise.all(
    ["anonymous", "viewer", "admin"].map((as) => app.inject({ url: "/api/v1/forgotten", headers: { ...headers[as] } })),
  );
  expect(answers.map(({ statusCode }) => statusCode)).toEqual([401, 403, 403]);
  expect(answers[2]?.json().detail).toMatch(/does not say who may call it/);
});

describe("public are", () => {
  test("what says that the service lives, the way in, and what pages look like", async () => {
    const { rules } = await collect();
    const open = rules
      .filter(({ access }) => access === "public")
      .map(({ url }) => url.replace(/^\/assets\/.*/, "/assets"));
    expect([...new Set(open)].filter((url) => url !== "/assets").toSorted()).toEqual(["/healthz", "/login", "/logout"]);
  });
});

test("whoever is nobody, or whose token has expired, gets nothing but what is public", async () => {
  const { app, rules } = await collect();
  for (const rule of rules.filter(({ access }) => access !== "public")) {
    for (const as of ["anonymous", "expired"]) {
      const { statusCode } = await knock(app, rule, as);
      expect([rule.method, rule.url, as, statusCode]).toEqual([rule.method, rule.url, as, 401]);
    }
  }
});

test.each(ROLES)("a %s gets what is for that role and those below, and 403 for the rest", async (role) => {
  const { app, rules } = await collect();
  for (const rule of rules) {
    const { access = "public" } = rule;
    if (access === "public") continue;
    if (mayAct(role, access)) {
      if (CHANGES.has(rule.method)) continue; // see below
      const { statusCode } = await knock(app, rule, role);
      expect([rule.method, rule.url, [401, 403].includes(statusCode)]).toEqual([rule.method, rule.url, false]);
      continue;
    }
    const answer = await knock(app, rule, role);
    expect([rule.method, rule.url, answer.statusCode]).toEqual([rule.method, rule.url, 403]);
    if (rule.method === "HEAD") continue;
    expect(answer.headers["content-type"]).toMatch(/^application\/problem\+json/);
    const detail = `This takes the role ${access}, and token:${role} has the role ${role}.`;
    expect(answer.json()).toMatchObject({ code: "ROLE_NEEDED", detail });
  }
});

const CHANGES: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH", "DELETE"]);

test.each(ROLES)("a %s may change what is for that role: the request gets past the guard", async (role) => {
  const { app, rules } = await collect();
  for (const rule of rules) {
    const { access = "public" } = rule;
    if (access === "public" || !CHANGES.has(rule.method) || !mayAct(role, access)) continue;
    const answer = await knock(app, rule, role);
    expect([rule.method, rule.url, [401, 403].includes(answer.statusCode)]).toEqual([rule.method, rule.url, false]);
  }
});

test("nobody but an operator or an administrator changes anything", async () => {
  const { rules } = await collect();
  const odd = rules.filter(({ method, access }) => CHANGES.has(method) && access === "viewer");
  expect(odd).toEqual([]);
});
