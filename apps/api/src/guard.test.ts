import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, describe, expect, test } from "@jest/globals";
import { createToken } from "@trivault/access";
import type { ApiConfig } from "@trivault/core";
import { makeTempDir } from "@trivault/testkit";
import { appUnderTest, BEARER, closeApps, TOKEN } from "../test/app-under-test.ts";
import { requireTokenBeyondLoopback } from "./loopback.ts";

afterEach(closeApps);

const basic = (user: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`,
});
const LIST = "/api/v1/backups";

describe("with a token", () => {
  test("an unknown path is answered like a known one", async () => {
    const answer = await appUnderTest().app.inject({ url: "/nowhere" });
    expect(answer.statusCode).toBe(401);
    expect(answer.headers["www-authenticate"]).toEqual([
      expect.stringMatching(/^Bearer /),
      expect.stringMatching(/^Basic /),
    ]);
    expect(answer.json()).toMatchObject({ status: 401, code: "UNAUTHORIZED" });
  });

  test("a person in a browser gets a page, which reveals nothing about the site; a program in problem+json", async () => {
    const { app } = appUnderTest();
    const browser = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };
    for (const headers of [browser, { ...browser, ...BEARER }]) {
      const page = await app.inject({ url: "/nowhere", headers });
      expect(page.statusCode).toBe("authorization" in headers ? 404 : 401);
      expect(page.headers["content-type"]).toMatch(/^text\/html/);
      expect(page.headers["content-security-policy"]).toContain("script-src 'self'");
      expect(page.body).toMatch(/<h1>There is no such thing<\/h1>|<h1>That did not work<\/h1>/);
      expect(page.body.includes("<nav")).toBe("authorization" in headers);
    }
    const answer = await app.inject({ url: LIST, headers: browser });
    expect(answer.headers["content-type"]).toMatch(/^application\/problem\+json/);
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

describe("on loopback, nobody is let in without being asked", () => {
  const status = async (api: Partial<ApiConfig>, headers: Record<string, string> = {}) =>
    (await appUnderTest({ token: null, api }).app.inject({ url: LIST, headers: { host: "localhost", ...headers } }))
      .statusCode;

  test.each(["forwarded", "x-forwarded-for", "x-real-ip"])("by a proxy, which says so with %s", async (name) => {
    expect(await status({}, { [name]: "203.0.113.9" })).toBe(403);
  });

  test("where proxies are trusted, or the API listens on other addresses as well", async () => {
    expect(await status({})).toBe(200);
    expect(await status({ trustedProxies: ["127.0.0.1"] })).toBe(401);
    expect(await status({ host: "0.0.0.0" })).toBe(401); // its last token was revoked after the start
  });

  test("where there is an access file, be it broken, or with a token that has expired", async () => {
    await using dir = await makeTempDir("tv-guard");
    const accessFile = path.join(dir.path, "access.json");
    await writeFile(accessFile, "{");
    expect(await status({ accessFile })).toBe(401);
    await rm(accessFile);
    expect(await status({ accessFile })).toBe(200);
    const expiresAt = new Date("2026-01-02T00:00:00Z");
    const old = { name: "old", role: "admin", createdBy: "test", expiresAt } as const;
    await createToken(accessFile, old, new Date("2026-01-01T00:00:00Z"));
    expect(await status({ accessFile })).toBe(401);
  });
});

describe("a flood", () => {
  test("of a caller, or of those who are not let in, is answered with 429", async () => {
    const { app } = appUnderTest({ requestsPerMinute: 3 });
    const ask = async (headers: Record<string, string>, remoteAddress = "192.0.2.1") => {
      const answer = await app.inject({ url: LIST, headers, remoteAddress });
      return [answer.statusCode, Number(answer.headers["retry-after"] ?? 0) > 0];
    };
    for (let i = 0; i < 3; i++) expect(await ask(BEARER)).toEqual([200, false]);
    expect(await ask(BEARER)).toEqual([429, true]);
    for (let i = 0; i < 3; i++) expect(await ask({})).toEqual([401, false]);
    expect(await ask({})).toEqual([429, true]);
    expect(await ask({}, "192.0.2.2")).toEqual([401, false]);
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
  const listenOn = (host: string, token: string | null, members: "empty" | "tokens" | "users" | "broken" = "empty") =>
    requireTokenBeyondLoopback({ host, token, accessFile: "/srv/access.json" }, { members: async () => members });

  test.each(["127.0.0.1", "127.3.4.5", "::1", "localhost"])("may happen on %s", async (host) => {
    await expect(listenOn(host, null)).resolves.toBeUndefined();
  });

  test.each(["0.0.0.0", "::", "192.168.1.5", "127.0.0.1.example.org", "localhost.example.org"])(
    "not on %s, unless somebody stands in the access file",
    async (host) => {
      const refusal = { code: "CONFIG_INVALID", message: expect.stringMatching(/BACKUP_API_HOST.*BACKUP_API_TOKEN/) };
      await expect(listenOn(host, null)).rejects.toMatchObject(refusal);
      await expect(listenOn(host, null, "broken")).rejects.toMatchObject(refusal);
      await expect(listenOn(host, null, "users")).resolves.toBeUndefined();
      await expect(listenOn(host, null, "tokens")).resolves.toBeUndefined();
      await expect(listenOn(host, "0123456789abcdef")).resolves.toBeUndefined();
    },
  );
});
