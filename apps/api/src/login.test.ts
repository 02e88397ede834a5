import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { addUser, removeUser, resetUser } from "@trivault/access";
import type { ApiConfig } from "@trivault/core";
import { makeTempDir, type TempDir } from "@trivault/testkit";
import { type AppUnderTest, appUnderTest, CHEAP, closeApps } from "../test/app-under-test.ts";

afterEach(closeApps);

/** As a browser without scripts goes through it: cookies, forms, redirects. */
const PASSWORD = "correct horse battery";
const PAGE = { accept: "text/html,application/xhtml+xml" };

let dir: TempDir;
let accessFile: string;
let codes: string[];
beforeEach(async () => {
  dir = await makeTempDir("tv-login");
  accessFile = path.join(dir.path, "access.json");
  const alice = { name: "alice", role: "operator", password: PASSWORD, createdBy: "test" } as const;
  // Recovery codes, since a code of an app is good once in 30 seconds.
  codes = [...(await addUser(accessFile, alice, new Date(), CHEAP)).recoveryCodes];
});
afterEach(() => dir.remove());

const site = (api: Partial<ApiConfig> = {}) => appUnderTest({ token: null, api: { accessFile, ...api } });

interface Browser {
  readonly jar: Map<string, { value: string; attributes: string }>;
  get(url: string, headers?: Record<string, string>): Promise<Answer>;
  post(url: string, fields: Record<string, string>, headers?: Record<string, string>): Promise<Answer>;
}
interface Answer {
  readonly status: number;
  readonly body: string;
  readonly location: string | undefined;
  readonly headers: Record<string, unknown>;
}

function browser({ app }: AppUnderTest, base: Record<string, string> = {}): Browser {
  const jar: Browser["jar"] = new Map();
  async function send(method: "GET" | "POST", url: string, headers: Record<string, string>, payload?: string) {
    const cookie = [...jar].map(([name, { value }]) => `${name}=${value}`).join("; ");
    const answer = await app.inject({
      method,
      url,
      headers: { host: "backups.example.org", ...base, ...PAGE, cookie, ...headers },
      ...(payload === undefined ? {} : { payload }),
    });
    for (const line of [answer.headers["set-cookie"] ?? []].flat()) {
      const [, name = "", value = "", attributes = ""] = /^([^=]+)=([^;]*);? ?(.*)$/.exec(line) ?? [];
      if (value === "") jar.delete(name);
      else jar.set(name, { value, attributes });
    }
    return {
      status: answer.statusCode,
      body: answer.body,
      location: answer.headers.location,
      headers: answer.headers as Record<string, unknown>,
    };
  }
  return {
    jar,
    get: (url, headers = {}) => send("GET", url, headers),
    post: (url, fields, headers = {}) =>
      send(
        "POST",
        url,
        { "content-type": "application/x-www-form-urlencoded", ...headers },
        new URLSearchParams(fields).toString(),
      ),
  };
}

const csrfIn = ({ body }: Answer) => /name="_csrf" value="([^"]+)"/.exec(body)?.[1] ?? "";
const nextIn = ({ body }: Answer) => /name="next" value="([^"]+)"/.exec(body)?.[1] ?? "";

/** Both steps; the last answer. */
async function logIn(
  each: Browser,
  { user = "alice", password = PASSWORD, next = "/", code = codes.pop() ?? "" } = {},
) {
  const form = await each.get(`/login?next=${encodeURIComponent(next)}`);
  const second = await each.post("/login", { user, password, next: nextIn(form), _csrf: csrfIn(form) });
  if (second.status !== 200) return second;
  return each.post("/login", { code, next: nextIn(second), _csrf: csrfIn(second) });
}
async function me(each: Browser) {
  const answer = await each.get("/api/v1/me", { accept: "application/json" });
  return { status: answer.status, ...(JSON.parse(answer.body) as { actor?: string; csrf?: string }) };
}

test("whoever opens a page is led to the login, and from there to what they wanted", async () => {
  const under = site();
  const each = browser(under);
  const turned = await each.get("/queues?x=1");
  expect([turned.status, turned.location]).toEqual([302, "/login?next=%2Fqueues%3Fx%3D1"]);
  const done = await logIn(each, { next: "/queues?x=1" });
  expect([done.status, done.location]).toEqual([303, "/queues?x=1"]);
  expect(await me(each)).toMatchObject({ status: 200, actor: "user:alice", role: "operator", via: "session" });
  expect((await each.get("/queues")).status).toBe(200);
  expect((await each.get("/login?next=/tiers")).location).toBe("/tiers");
  expect(under.events).toMatchObject([{ action: "access.login", outcome: "ok", actor: "user:alice" }]);
});

test("programs and scripts are not led anywhere, and asked for no password by the browser", async () => {
  const each = browser(site());
  expect(await each.get("/api/v1/backups")).toMatchObject({ status: 401, location: undefined });
  const script = { accept: "*/*", "sec-fetch-mode": "cors" };
  expect((await each.get("/tiers", script)).headers["www-authenticate"]).toEqual(['Bearer realm="Trivault"']);
});

test("a link on a foreign page leads in, as the browser is asked to come again from here", async () => {
  const each = browser(site());
  await logIn(each);
  const { app } = site();
  const followed = await app.inject({
    url: '/backups/x?a="&b=1',
    headers: { ...PAGE, "sec-fetch-site": "cross-site" },
  });
  expect([followed.statusCode, followed.body]).toEqual([
    200,
    '<!doctype html><meta http-equiv="refresh" content="0;url=/backups/x?a=%22&amp;b=1">',
  ]);
});

describe("the cookie", () => {
  const session = (each: Browser) => [...each.jar].find(([name]) => name.endsWith("-session"));

  test("is for this host, this site and no script", async () => {
    const each = browser(site());
    await logIn(each);
    expect(session(each)?.[0]).toBe("trivault-session");
    expect(session(each)?.[1].attributes).toBe("Max-Age=43200; Path=/; HttpOnly; SameSite=Strict");
  });

  test.each([
    ["the public URL says so", { publicUrl: "https://backups.example.org" }, {}],
    ["a trusted proxy says so", { trustedProxies: ["127.0.0.1"] }, { "x-forwarded-proto": "https" }],
  ])("goes over https alone where %s", async (_what, api, headers) => {
    const each = browser(site(api), headers);
    await logIn(each);
    expect(session(each)?.[0]).toBe("__Host-trivault-session");
    expect(session(each)?.[1].attributes).toMatch(/Path=\/; HttpOnly; Secure; SameSite=Strict/);
    expect((await me(each)).status).toBe(200);
  });

  test("is not made to by whoever merely says so", async () => {
    const each = browser(site(), { "x-forwarded-proto": "https" });
    await logIn(each);
    expect(session(each)?.[0]).toBe("trivault-session");
  });

  test("that is no good is as good as none, and keeps nobody from logging in", async () => {
    const each = browser(site());
    each.jar.set("trivault-session", { value: "x.y", attributes: "" });
    each.jar.set("trivault-device", { value: "x.y", attributes: "" });
    expect((await each.get("/queues")).status).toBe(302);
    expect((await logIn(each)).status).toBe(303);
  });
});

describe("refused is", () => {
  test("a wrong password, the same way as an unknown user", async () => {
    const under = site();
    const wrong = await logIn(browser(under), { password: "wrong" });
    const unknown = await logIn(browser(under), { user: "geheim" });
    expect([wrong.status, unknown.status]).toEqual([403, 403]);
    const text = ({ body }: Answer) => body.replaceAll(/(?:value|data-now|datetime)="[^"]*"/g, "");
    expect(text(wrong)).toBe(text(unknown));
    expect(wrong.body).toContain("do not fit");
    expect(under.events).toMatchObject([
      { action: "access.login", outcome: "refused", actor: "user:alice" },
      { action: "access.refused", outcome: "refused", actor: "token:none" },
    ]);
    expect(JSON.stringify(under.events)).not.toContain("geheim");
  });

  test("a wrong code, in the browser's language", async () => {
    const each = browser(site(), { "accept-language": "fr-FR,fr;q=0.9,en;q=0.5" });
    const answer = await logIn(each, { code: "000000" });
    expect(answer.status).toBe(403);
    expect(answer.body).toMatch(/Ce code est faux/);
    expect((await me(each)).status).toBe(401);
  });

  test("a code without the password before it", async () => {
    const each = browser(site());
    const form = await each.get("/login");
    const answer = await each.post("/login", { code: codes[0] ?? "", _csrf: csrfIn(form) });
    expect(answer.status).toBe(403);
    expect(answer.body).toMatch(/with your password again/);
  });

  test("whoever has failed five times, with how long to wait", async () => {
    const under = site();
    const each = browser(under);
    let last = await logIn(each, { password: "wrong" });
    for (let i = 0; i < 5; i++) last = await logIn(each, { password: "wrong" });
    expect(last.status).toBe(429);
    expect(Number(last.headers["retry-after"])).toBeGreaterThan(0);
    expect(last.body).toMatch(/Too many attempts have failed. Try again in one minute/);
    expect((await logIn(each)).status).toBe(429);
  });

  test("whoever tries too often in a minute", async () => {
    const each = browser(site());
    const statuses = new Set<number>();
    for (let i = 0; i < 31; i++) statuses.add((await each.post("/login", {})).status);
    expect([...statuses]).toEqual([403, 429]);
  });

  test.each([
    ["no form of ours", (): Record<string, string> => ({})],
    ["the token of another browser", (other: Answer): Record<string, string> => ({ _csrf: csrfIn(other) })],
  ])("what carries %s", async (_what, more) => {
    const under = site();
    const other = await browser(under).get("/login");
    const each = browser(under);
    await each.get("/login");
    const answer = await each.post("/login", { user: "alice", password: PASSWORD, ...more(other) });
    expect(answer.status).toBe(403);
    expect(answer.body).toMatch(/form is too old/);
  });

  test("what a foreign page sends", async () => {
    const each = browser(site());
    const form = await each.get("/login");
    const fields = { user: "alice", password: PASSWORD, _csrf: csrfIn(form) };
    expect((await each.post("/login", fields, { "sec-fetch-site": "cross-site" })).status).toBe(403);
    expect((await each.post("/login", fields, { origin: "https://evil.example" })).status).toBe(403);
    expect((await each.post("/login", fields, { origin: "http://backups.example.org" })).status).toBe(200);
  });

  test.each([
    "https://evil.example/",
    "//evil.example",
    "/\\evil.example",
    "/..//evil.example",
    "javascript:alert(1)",
    "/login",
    "/logout",
  ])("to be led to %s", async (next) => {
    expect((await logIn(browser(site()), { next })).location).toBe("/");
  });
});

describe("a session", () => {
  const ask = (each: Browser, headers: Record<string, string> = {}) =>
    each.post("/api/v1/backups", {}, { accept: "application/json", "content-type": "application/json", ...headers });

  test("changes nothing without its own CSRF token", async () => {
    const under = site();
    const [each, other] = [browser(under), browser(under)];
    await logIn(each);
    await logIn(other);
    const { csrf = "" } = await me(each);
    const theirs = (await me(other)).csrf ?? "";
    expect((await ask(each)).status).toBe(400); // an empty body is no JSON, and read before
    expect((await ask(each, { "x-csrf-token": theirs })).status).toBe(403);
    expect((await ask(each, { "x-csrf-token": "" })).status).toBe(403);
    expect((await ask(each, { "x-csrf-token": csrf, "sec-fetch-site": "cross-site" })).status).toBe(403);
    const json = async (headers: Record<string, string>, body: object) =>
      under.app.inject({
        method: "POST",
        url: "/api/v1/backups",
        headers: {
          host: "backups.example.org",
          "content-type": "application/json",
          cookie: `trivault-session=${each.jar.get("trivault-session")?.value ?? ""}`,
          ...headers,
        },
        payload: body,
      });
    expect((await json({}, { database: "shoq" })).statusCode).toBe(403);
    expect((await json({}, { database: "shoq", _csrf: theirs })).statusCode).toBe(403);
    expect((await json({ "x-csrf-token": csrf }, { database: "shoq" })).statusCode).toBe(404);
    expect((await json({}, { database: "shoq", _csrf: csrf })).statusCode).toBe(404); // and no schema minds the field
  });

  test("ends with a logout, everywhere", async () => {
    const under = site();
    const each = browser(under);
    await logIn(each);
    const stolen = browser(under);
    for (const [name, value] of each.jar) stolen.jar.set(name, value);
    const { csrf = "" } = await me(each);
    await each.post("/logout", { _csrf: "x" });
    expect((await me(each)).status).toBe(200);
    const left = await each.post("/logout", { _csrf: csrf });
    expect([left.status, left.location]).toEqual([303, "/login"]);
    expect((await me(stolen)).status).toBe(401);
    expect(under.events).toContainEqual(
      expect.objectContaining({ action: "access.login", details: { ip: "127.0.0.1", left: true } }),
    );
  });

  test.each([
    ["the password is set anew", () => resetUser(accessFile, { name: "alice", password: PASSWORD }, CHEAP)],
    ["the user is removed", () => removeUser(accessFile, "alice")],
  ])("ends at once when %s", async (_what, change) => {
    // Where nobody was left, nobody would be asked.
    await addUser(
      accessFile,
      { name: "bob", role: "viewer", password: PASSWORD, createdBy: "test" },
      new Date(),
      CHEAP,
    );
    const each = browser(site());
    await logIn(each);
    expect((await me(each)).status).toBe(200);
    await change();
    expect((await me(each)).status).toBe(401);
  });

  test("has the role of its user, and says which one is lacking", async () => {
    const each = browser(site());
    await logIn(each);
    const answer = await each.get("/api/v1/tokens", { accept: "application/json" });
    expect(answer.status).toBe(403);
    expect(answer.body).toMatch(/takes the role admin, and user:alice has the role operator/);
    const page = await each.get("/tiers/cloud/cleanup");
    expect(page).toMatchObject({ status: 403, headers: { "content-type": expect.stringMatching(/^text\/html/) } });
    expect(page.body).toContain("You may not do that");
  });
});

test("the pages of the login run nothing that is inline, and send nobody their address", async () => {
  const { headers, body } = await browser(site()).get("/login");
  expect(headers["content-security-policy"]).toMatch(/default-src 'none'; script-src 'self'; style-src 'self'/);
  expect(headers["cache-control"]).toBe("no-store");
  expect(body).not.toMatch(/<script(?![^>]* src=)|<style| style=| on\w+=/);
});
