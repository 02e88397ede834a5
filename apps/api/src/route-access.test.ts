import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { createToken, mayAct, type Role, ROLES } from "@trivault/access";
import { makeTempDir, type TempDir } from "@trivault/testkit";
import type { RouteOptions } from "fastify";
import { makeApp } from "../test/app-under-test.ts";
import type { App } from "./deps.ts";
import type { RouteAccess } from "./route-access.ts";

/** Each route of the app, as it is: one that is added is tested without anybody thinking of it. */
interface Rule {
  readonly method: string;
  readonly url: string;
  readonly access: RouteAccess | undefined;
}

const YEAR = 365 * 86_400_000;
/** An app and the routes that it has. */
interface Collected {
  readonly app: App;
  readonly rules: readonly Rule[];
}

let dir: TempDir;
let accessFile: string;
let all: Collected;
const closers: (() => Promise<void>)[] = [];
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
  all = await collect();
});
afterAll(async () => {
  for (const close of closers) await close();
  await dir.remove();
});

async function collect(addTo: (app: App) => void = () => undefined): Promise<Collected> {
  const { app, close } = makeApp({ api: { accessFile } });
  closers.push(close);
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

const BELOW_ADMIN = ROLES.filter((role) => role !== "admin");
const ABOVE_VIEWER = ROLES.filter((role) => role !== "viewer");

const withoutRule = (rules: readonly Rule[]) => rules.filter(({ access }) => access === undefined);

/** With nothing that could make a handler do anything: whoever is let in gets as far as 400, 404 or 503. */
async function knock({ method, url }: Rule, as: string) {
  const filled = url.replaceAll(/:\w+/g, "x").replace("*", "x");
  const query = url.endsWith("/events") ? "?from=nonsense" : ""; // a stream would not end
  return all.app.inject({ method: method as "GET", url: filled + query, headers: { ...headers[as] } });
}

/** All that are chosen at once, as some wait for a Redis that is not there; then each answer is looked at. */
async function knockAtAll(
  as: string,
  chosen: (rule: Rule, access: Role) => boolean,
  look: (rule: Rule, answer: Awaited<ReturnType<typeof knock>>) => void,
): Promise<void> {
  const rules = all.rules.filter((rule) => rule.access && rule.access !== "public" && chosen(rule, rule.access));
  expect(rules.length).toBeGreaterThan(0);
  const answers = await Promise.all(rules.map(async (rule) => [rule, await knock(rule, as)] as const));
  for (const [rule, answer] of answers) look(rule, answer);
}

test("every route says who may call it", () => {
  expect(all.rules.length).toBeGreaterThan(30);
  expect(withoutRule(all.rules)).toEqual([]);
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
  test("what says that the service lives, the way in, and what pages look like", () => {
    const open = all.rules
      .filter(({ access }) => access === "public")
      .map(({ url }) => url.replace(/^\/assets\/.*/, "/assets"));
    expect([...new Set(open)].filter((url) => url !== "/assets").toSorted()).toEqual(["/healthz", "/login", "/logout"]);
  });
});

test.each(["anonymous", "expired"])("whoever is %s gets nothing but what is public", async (as) => {
  await knockAtAll(
    as,
    () => true,
    ({ method, url }, { statusCode }) => expect([method, url, as, statusCode]).toEqual([method, url, as, 401]),
  );
});

/** Past the guard, whatever the handler then says. */
const isLetIn = ({ method, url }: Rule, { statusCode }: { statusCode: number }) =>
  expect([method, url, [401, 403].includes(statusCode)]).toEqual([method, url, false]);

test.each(ROLES)("a %s may look at what is for that role and those below", async (role) => {
  await knockAtAll(role, ({ method }, access) => mayAct(role, access) && !CHANGES.has(method), isLetIn);
});

test.each(ABOVE_VIEWER)("a %s may change what is for that role: the request gets past the guard", async (role) => {
  const mayChange = ({ method }: Rule, access: Role) => mayAct(role, access) && CHANGES.has(method);
  await knockAtAll(role, mayChange, isLetIn);
});

test.each(BELOW_ADMIN)("a %s gets 403 for what is for the roles above", async (role) => {
  await knockAtAll(
    role,
    (_rule, access) => !mayAct(role, access),
    ({ method, url, access }, answer) => {
      expect([method, url, answer.statusCode]).toEqual([method, url, 403]);
      if (method === "HEAD") return;
      expect(answer.headers["content-type"]).toMatch(/^application\/problem\+json/);
      const detail = `This takes the role ${access}, and token:${role} has the role ${role}.`;
      expect(answer.json()).toMatchObject({ code: "ROLE_NEEDED", detail });
    },
  );
});

const CHANGES: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH", "DELETE"]);

test("nobody but an operator or an administrator changes anything", () => {
  const odd = all.rules.filter(({ method, access }) => CHANGES.has(method) && access === "viewer");
  expect(odd).toEqual([]);
});
