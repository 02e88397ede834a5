import path from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { addUser } from "@trivault/access";
import { makeTempDir, type TempDir } from "@trivault/testkit";
import { type AppUnderTest, appUnderTest, BEARER, CHEAP, closeApps } from "../test/app-under-test.ts";

afterEach(closeApps);

let dir: TempDir;
let accessFile: string;
let under: AppUnderTest;
beforeEach(async () => {
  dir = await makeTempDir("tv-members");
  accessFile = path.join(dir.path, "access.json");
  under = appUnderTest({ api: { accessFile } });
});
afterEach(() => dir.remove());

const send = (method: "GET" | "POST" | "DELETE", url: string, payload?: object, headers: object = BEARER) =>
  under.app.inject({ method, url: `/api/v1${url}`, headers: { ...headers }, ...(payload ? { payload } : {}) });
const ci = { name: "ci", role: "operator", expiresAt: "2099-01-01T00:00:00.000Z" };

test("a token is made, used, listed and revoked, and all of it is recorded", async () => {
  const made = await send("POST", "/tokens", ci);
  expect([made.statusCode, made.json()]).toEqual([201, { ...ci, token: expect.stringMatching(/^tv_[\w-]{43}$/) }]);
  const own = { authorization: `Bearer ${made.json().token}` };
  expect((await send("GET", "/me", undefined, own)).json()).toMatchObject({
    actor: "token:ci",
    role: "operator",
    via: "token",
  });
  const listed = { ...ci, createdAt: expect.any(String), createdBy: "token:default", expired: false };
  expect((await send("GET", "/tokens")).json()).toMatchObject({ tokens: [listed] });
  expect((await send("DELETE", "/tokens/ci")).json()).toEqual({ name: "ci", revoked: true });
  expect((await send("GET", "/me", undefined, own)).statusCode).toBe(401);
  const changes = under.events.filter(({ action }) => action === "access.token");
  expect(changes).toMatchObject([
    { outcome: "ok", actor: "token:default", details: { change: "created", token: "ci", role: "operator" } },
    { outcome: "ok", actor: "token:default", details: { change: "revoked", token: "ci" } },
  ]);
  expect(JSON.stringify(under.events)).not.toContain(made.json().token);
});

test("whoever lacks a role is named in the audit log", async () => {
  const { token } = (await send("POST", "/tokens", ci)).json();
  expect((await send("GET", "/users", undefined, { authorization: `Bearer ${token}` })).statusCode).toBe(403);
  expect(under.events.at(-1)).toMatchObject({
    action: "access.refused",
    actor: "token:ci",
    error: { code: "ROLE_NEEDED" },
  });
});

test.each([
  ["an unknown role", { ...ci, role: "root" }, 400],
  ["no role", { name: "ci", expiresAt: null }, 400],
  ["no word on when it ends", { name: "ci", role: "viewer" }, 400],
  ["a name that stands for something else", { ...ci, name: "loopback" }, 400],
  ["a name with a blank", { ...ci, name: "a b" }, 400],
  ["a time that is past", { ...ci, expiresAt: "2020-01-01T00:00:00Z" }, 400],
  ["another field", { ...ci, hash: "x" }, 400],
])("none is made with %s", async (_what, body, status) => {
  expect((await send("POST", "/tokens", body)).statusCode).toBe(status);
  expect((await send("GET", "/tokens")).json()).toEqual({ tokens: [] });
});

test("a name is taken once, and what is not there cannot be revoked", async () => {
  expect((await send("POST", "/tokens", ci)).statusCode).toBe(201);
  expect((await send("POST", "/tokens", ci)).json()).toMatchObject({ status: 409, code: "EXISTS" });
  expect((await send("DELETE", "/tokens/other")).json()).toMatchObject({ status: 404, code: "NOT_FOUND" });
});

test("users are listed without anything secret", async () => {
  const alice = {
    name: "alice",
    role: "admin",
    password: "correct horse battery",
    createdBy: "user:root@host",
  } as const;
  await addUser(accessFile, alice, new Date("2026-11-23T02:00:00Z"), CHEAP);
  expect((await send("GET", "/users")).json()).toEqual({
    users: [
      {
        name: "alice",
        role: "admin",
        createdAt: "2026-11-23T02:00:00.000Z",
        createdBy: "user:root@host",
        lastLoginAt: null,
        recoveryCodesLeft: 10,
      },
    ],
  });
});

test("the token of the environment, and nobody on loopback, are named by /me as well", async () => {
  expect((await send("GET", "/me")).json()).toMatchObject({ actor: "token:default", role: "admin", via: "token" });
  under = appUnderTest({ token: null });
  const answer = await send("GET", "/me", undefined, { host: "localhost" });
  expect(answer.json()).toMatchObject({
    actor: "token:loopback",
    role: "admin",
    via: "loopback",
    csrf: expect.any(String),
  });
});
