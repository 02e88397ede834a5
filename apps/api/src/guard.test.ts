import { describe, expect, test } from "@jest/globals";
import { appUnderTest, BEARER, TOKEN } from "../test/app-under-test.ts";
import { requireTokenBeyondLoopback } from "./guard.ts";

const basic = (user: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`,
});
const LIST = "/api/v1/backups";

describe("with a token", () => {
  test("every route there is needs it, but /healthz", async () => {
    const { app } = appUnderTest();
    const routes: { method: string; url: string }[] = [];
    app.addHook("onRoute", ({ method, url }) => {
      for (const each of [method].flat()) routes.push({ method: each, url });
    });
    await app.ready();
    expect(routes.length).toBeGreaterThan(30);
    for (const { method, url } of routes) {
      const answer = await app.inject({ method: method as "GET", url: url.replaceAll(/:\w+/g, "x").replace("*", "x") });
      expect([method, url, answer.statusCode]).toEqual([method, url, url === "/healthz" ? 503 : 401]);
    }
  });

  test("an unknown path is not told from a known one", async () => {
    const answer = await appUnderTest().app.inject({ url: "/nowhere" });
    expect(answer.statusCode).toBe(401);
    expect(answer.headers["www-authenticate"]).toEqual([
      expect.stringMatching(/^Bearer /),
      expect.stringMatching(/^Basic /),
    ]);
    expect(answer.json()).toMatchObject({ status: 401, code: "UNAUTHORIZED" });
  });

  test.each([
    ["Bearer", BEARER],
    ["bearer, however it is written", { authorization: `bEARER  ${TOKEN}` }],
    ["Basic, with any user name", basic("anybody", TOKEN)],
    ["Basic, with none", basic("", TOKEN)],
  ])("enters by %s", async (_how, headers) => {
    expect((await appUnderTest().app.inject({ url: LIST, headers })).statusCode).toBe(200);
  });

  test.each([
    ["nothing", {}],
    ["an empty header", { authorization: "" }],
    ["a scheme alone", { authorization: "Bearer" }],
    ["another scheme", { authorization: `Digest ${TOKEN}` }],
    ["the token alone", { authorization: TOKEN }],
    ["a prefix of it", { authorization: `Bearer ${TOKEN.slice(0, -1)}` }],
    ["more than it", { authorization: `Bearer ${TOKEN}0` }],
    ["a very long one", { authorization: `Bearer ${"x".repeat(8000)}` }],
    ["it as user name", basic(TOKEN, "")],
    ["no colon in Basic", { authorization: `Basic ${Buffer.from(TOKEN).toString("base64")}` }],
    ["broken base64", { authorization: "Basic ====" }],
  ])("refuses %s", async (_what, headers) => {
    expect((await appUnderTest().app.inject({ url: LIST, headers })).statusCode).toBe(401);
  });

  test("answers to any host name", async () => {
    const answer = await appUnderTest().app.inject({ url: LIST, headers: { ...BEARER, host: "backup.example.org" } });
    expect(answer.statusCode).toBe(200);
  });
});

describe("on loopback without a token", () => {
  const open = () => appUnderTest({ token: null }).app;

  test.each(["localhost", "localhost:3000", "127.0.0.1:3000", "127.8.8.8", "[::1]:3000"])(
    "answers to Host %s",
    async (host) => {
      expect((await open().inject({ url: LIST, headers: { host } })).statusCode).toBe(200);
    },
  );

  test.each([
    "evil.example",
    "evil.example:3000",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "0.0.0.0",
    "a b",
  ])("does not answer to Host %s, as DNS rebinding sends it", async (host) => {
    const answer = await open().inject({ url: LIST, headers: { host } });
    expect(answer.statusCode).toBe(403);
    expect(answer.json()).toMatchObject({ code: "FORBIDDEN", detail: expect.stringContaining("BACKUP_API_TOKEN") });
    expect(answer.headers["www-authenticate"]).toBeUndefined();
  });
});

describe("a change asked for by a web page", () => {
  const post = (headers: Record<string, string>) =>
    appUnderTest().app.inject({
      method: "POST",
      url: LIST,
      headers: { ...BEARER, host: "127.0.0.1:3000", ...headers },
      payload: { database: "shoq" },
    });

  test.each([
    [{ "sec-fetch-site": "cross-site" }],
    [{ "sec-fetch-site": "same-site" }],
    [{ origin: "https://evil.example" }],
    [{ origin: "http://127.0.0.1:4000" }],
    [{ origin: "null" }],
  ])("of another site is refused: %o", async (headers) => {
    const answer = await post(headers);
    expect(answer.statusCode).toBe(403);
    expect(answer.json().detail).toMatch(/another site/);
  });

  test.each([
    [{}],
    [{ "sec-fetch-site": "same-origin", origin: "https://front.example" }],
    [{ "sec-fetch-site": "none" }],
    [{ origin: "http://127.0.0.1:3000" }],
  ])("of its own site, or by no page at all, is let in: %o", async (headers) => {
    expect((await post(headers)).statusCode).toBe(404);
  });
});

test("every answer carries the security headers, refusals too", async () => {
  const { app } = appUnderTest();
  for (const request of [{ url: LIST }, { url: LIST, headers: BEARER }, { url: "/healthz" }]) {
    expect((await app.inject(request)).headers).toMatchObject({
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "content-security-policy": expect.stringContaining("default-src 'none'"),
      "cache-control": "no-store",
      "referrer-policy": "no-referrer",
    });
  }
});

describe("listening without a token", () => {
  const listenOn = (host: string, token: string | null) => () => requireTokenBeyondLoopback({ host, token });

  test.each(["127.0.0.1", "127.3.4.5", "::1", "localhost"])("may happen on %s", (host) => {
    expect(listenOn(host, null)).not.toThrow();
  });

  test.each(["0.0.0.0", "::", "192.168.1.5", "127.0.0.1.example.org", "localhost.example.org"])("not on %s", (host) => {
    expect(listenOn(host, null)).toThrow(
      expect.objectContaining({
        code: "CONFIG_INVALID",
        message: expect.stringMatching(/BACKUP_API_HOST.*BACKUP_API_TOKEN/),
      }),
    );
    expect(listenOn(host, "0123456789abcdef")).not.toThrow();
  });
});
