import { readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { createToken, ensureFirstToken, listUsers, revokeToken } from "@trivault/access";
import { makeTempDir, type TempDir } from "@trivault/testkit";
import type { RouteOptions } from "fastify";
import { type AppUnderTest, appUnderTest, closeApps } from "../test/app-under-test.ts";

afterEach(closeApps);

const PASSWORD = "correct horse battery";
const PAGE = { accept: "text/html,application/xhtml+xml", host: "localhost:3000" };

let dir: TempDir;
let accessFile: string;
beforeEach(async () => {
  dir = await makeTempDir("tv-first");
  accessFile = path.join(dir.path, "access.json");
});
afterEach(() => dir.remove());

/** As `npm start` leaves it, where no token and no user was ever made. */
async function firstStart(): Promise<{ under: AppUnderTest; token: string }> {
  const first = await ensureFirstToken(accessFile, new Date());
  const token = (await readFile(first?.file ?? "", "utf8")).trim();
  return { under: appUnderTest({ token: null, api: { accessFile, open: false } }), token };
}

async function visit({ app }: AppUnderTest, fields: Record<string, string>) {
  const form = await app.inject({ url: "/login", headers: PAGE });
  const [cookie = ""] = String(form.headers["set-cookie"]).split(";");
  const csrf = /name="_csrf" value="([^"]+)"/.exec(form.body)?.[1] ?? "";
  return app.inject({
    method: "POST",
    url: "/login",
    headers: { ...PAGE, cookie, "content-type": "application/x-www-form-urlencoded" },
    payload: new URLSearchParams({ _csrf: csrf, user: "alice", password: PASSWORD, ...fields }).toString(),
  });
}

describe("9.C19 the token of the first start", () => {
  it("is made once, by whichever process comes first, and only its owner may read it", async () => {
    const made = await Promise.all(Array.from({ length: 5 }, () => ensureFirstToken(accessFile, new Date())));
    const file = path.join(dir.path, "admin-token");
    expect(new Set(made.map((each) => each?.file))).toEqual(new Set([file]));
    expect(made.filter((each) => each?.made)).toHaveLength(1);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const before = await readFile(file, "utf8");
    expect(before).toMatch(/^tv_[\w-]{43}\n$/);
    expect(await readFile(accessFile, "utf8")).not.toContain(before.trim());
    expect(await ensureFirstToken(accessFile, new Date())).toEqual({ file, made: false });
    expect(await readFile(file, "utf8")).toBe(before);
  });

  it("is another one where it was revoked and nobody is left, and none where somebody is", async () => {
    const { token } = await firstStart();
    await revokeToken(accessFile, "first");
    const second = (await firstStart()).token;
    expect(second).not.toBe(token);
    await createToken(accessFile, { name: "ci", role: "viewer", createdBy: "t", expiresAt: null }, new Date());
    await revokeToken(accessFile, "first");
    expect(await ensureFirstToken(accessFile, new Date())).toBeNull();
  });

  it("is not made where the access file is damaged: that is no first start", async () => {
    await writeFile(accessFile, "{", { mode: 0o600 });
    await expect(ensureFirstToken(accessFile, new Date())).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  });
});

describe("9.C19 another account of this machine", () => {
  it.each([
    ["before anybody was let in", false],
    ["after the first start", true],
  ])("gets nothing but what is public %s", async (_when, started) => {
    if (started) await firstStart();
    const { app } = appUnderTest({ token: null, api: { accessFile, open: false } });
    const routes: RouteOptions[] = [];
    app.addHook("onRoute", (route) => void routes.push(route));
    await app.ready();
    const closed = routes.filter(({ config }) => config?.access !== "public");
    expect(closed.length).toBeGreaterThan(30);
    for (const { method, url } of closed) {
      for (const each of [method].flat()) {
        const filled = url.replaceAll(/:\w+/g, "x").replace("*", "x");
        const { statusCode } = await app.inject({ method: each as "GET", url: filled, headers: { host: "localhost" } });
        expect([each, url, statusCode]).toEqual([each, url, 401]);
      }
    }
  });

  it("cannot shut the owner out: the first user takes the token", async () => {
    const { under } = await firstStart();
    for (const token of ["", "tv_guess", "first"]) {
      const answer = await visit(under, { token });
      expect([answer.statusCode, answer.body.includes("not the token")]).toEqual([403, true]);
    }
    expect(await listUsers(accessFile)).toEqual([]);
    expect(under.events).toMatchObject([{ action: "access.refused", actor: "token:none" }]);
    const made = await under.app.inject({
      method: "POST",
      url: "/api/v1/tokens",
      headers: { host: "localhost" },
      payload: { name: "mine", role: "admin", expiresAt: null },
    });
    expect(made.statusCode).toBe(401);
  });
});

describe("9.C19 the first visit", () => {
  it("leads to a page that says where the token lies, and makes the first user with it", async () => {
    const { under, token } = await firstStart();
    const turned = await under.app.inject({ url: "/", headers: PAGE });
    expect([turned.statusCode, turned.headers.location]).toEqual([302, "/login?next=%2F"]);
    const { body } = await under.app.inject({ url: "/login", headers: PAGE });
    expect(body).toContain(".trivault/admin-token");
    expect(body).not.toContain(token);
    const weak = await visit(under, { token, password: "short" });
    expect(weak.statusCode).toBe(400);
    const done = await visit(under, { token });
    expect(done.statusCode).toBe(201);
    expect(done.body).toMatch(/otpauth:\/\/totp\//);
    expect(done.headers["cache-control"]).toBe("no-store");
    expect(await listUsers(accessFile)).toMatchObject([{ name: "alice", role: "admin", createdBy: "token:first" }]);
    expect(under.events).toMatchObject([{ action: "access.user", outcome: "ok", actor: "token:first" }]);
    const after = await visit(under, { token, user: "mallory" });
    expect(after.statusCode).toBe(403);
    expect(await listUsers(accessFile)).toHaveLength(1);
  });

  it("is not needed by whoever sends the token", async () => {
    const { under, token } = await firstStart();
    const headers = { host: "localhost", authorization: `Bearer ${token}` };
    expect((await under.app.inject({ url: "/api/v1/me", headers })).json()).toMatchObject({
      actor: "token:first",
      role: "admin",
    });
  });
});
