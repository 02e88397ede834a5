import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { Writable } from "node:stream";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { createLogger, silentLogger } from "@trivault/core";
import { makeTempDir, type TempDir } from "@trivault/testkit";
import { generate } from "otplib";
import { type Access, openAccess } from "./access.ts";
import { addUser, createToken, removeUser, resetUser, revokeToken } from "./entries.ts";
import { listTokens, listUsers } from "./lists.ts";
import type { LoginResult } from "./login.ts";

/** Cheap, as hardly any test is about how long a guess takes. */
const COST = { cost: 16, blockSize: 8, parallelization: 1 };
const PASSWORD = "correct horse battery";
const START = Date.parse("2026-11-23T02:00:00Z");
const HOUR = 3600_000;

let dir: TempDir;
let file: string;
let time: number;
let access: Access;
const now = () => new Date(time);
const open = (log = silentLogger()) => openAccess({ file, log, now, cost: COST });
beforeEach(async () => {
  dir = await makeTempDir("tv-access");
  file = path.join(dir.path, "deep/access.json");
  time = START;
  access = open();
});
afterEach(async () => {
  await access.close();
  await dir.remove();
});

const token = (name: string, options: { expiresAt?: Date } = {}) =>
  createToken(file, { name, role: "operator", createdBy: "user:t@h", expiresAt: null, ...options }, now());
async function user(name: string) {
  const enrolment = await addUser(
    file,
    { name, role: "admin", password: PASSWORD, createdBy: "user:t@h" },
    now(),
    COST,
  );
  return { ...enrolment, secret: new URL(enrolment.otpauthUrl).searchParams.get("secret") ?? "" };
}
const codeAt = (secret: string, at = time) => generate({ secret, epoch: Math.floor(at / 1000) });
const attempt = (changes: Partial<Parameters<Access["login"]>[0]> = {}) =>
  access.login({ name: "alice", password: PASSWORD, code: null, ip: "192.0.2.1", device: null, ...changes });
const wrong = (changes: Partial<Parameters<Access["login"]>[0]> = {}) => attempt({ password: "wrong", ...changes });

function expectOk(result: LoginResult | null) {
  if (result?.status !== "ok") throw new Error(`not let in: ${JSON.stringify(result)}`);
  return result;
}

describe("tokens", () => {
  test("are known by their hash alone, with role and name", async () => {
    const text = await token("ci");
    expect(text).toMatch(/^tv_[\w-]{43}$/);
    expect(await access.checkToken(text)).toEqual({ actor: "token:ci", role: "operator", via: "token" });
    expect(await readFile(file, "utf8")).not.toContain(text.slice(3));
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    for (const other of ["", "tv_", text.slice(0, -1), `${text}x`, text.toUpperCase(), "x".repeat(10_000)]) {
      expect(await access.checkToken(other)).toBeNull();
    }
  });

  test("end when they expire, and when they are revoked", async () => {
    const short = await token("short", { expiresAt: new Date(START + HOUR) });
    const long = await token("long");
    time += HOUR - 1;
    expect(await access.checkToken(short)).not.toBeNull();
    time += 1;
    expect(await access.checkToken(short)).toBeNull();
    expect(await access.checkToken(long)).not.toBeNull();
    await revokeToken(file, "long");
    expect(await access.checkToken(long)).toBeNull();
    expect(await access.members()).toBe("tokens"); // an expired one still says that somebody set this up
  });

  test("are listed without anything secret, with when they were used", async () => {
    const text = await token("ci");
    expect(await listTokens(file, now())).toMatchObject([{ name: "ci", expired: false, lastUsedAt: null }]);
    time += 1000;
    await access.checkToken(text);
    await access.close();
    const listed = await listTokens(file, now());
    expect(listed).toMatchObject([{ lastUsedAt: new Date(time).toISOString() }]);
    expect(Object.keys(listed[0] ?? {})).not.toContain("hash");
  });

  test.each([
    "default",
    "loopback",
    "CI",
    "a b",
    "",
    "-x",
    "__proto__",
    "a-name-of-more-letters-than-sixty-three-which-is-more-than-anybody-needs",
  ])("cannot be called %j", async (name) => {
    await expect(token(name)).rejects.toMatchObject({ code: "INPUT_INVALID" });
  });

  test("have names of their own; one that is not there cannot be revoked", async () => {
    await expect(revokeToken(file, "ci")).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(stat(file)).rejects.toMatchObject({ code: "ENOENT" });
    await token("ci");
    await expect(token("ci")).rejects.toMatchObject({ code: "EXISTS" });
  });

  test("twenty that are made at once are all there", async () => {
    await Promise.all(Array.from({ length: 20 }, (_, i) => token(`t${i}`)));
    expect(await listTokens(file, now())).toHaveLength(20);
  });
});

describe("the file", () => {
  test("lets nobody in where it is broken, says so once, and is read again when it is mended", async () => {
    const lines: string[] = [];
    const write = (chunk: Buffer, _: string, done: () => void) => {
      lines.push(chunk.toString());
      done();
    };
    access = open(createLogger("info", "test", new Writable({ write })));
    expect(await access.members()).toBe("empty");
    const text = await token("ci");
    const good = await readFile(file, "utf8");
    expect(await access.members()).toBe("tokens");
    const broken = [
      "",
      "{",
      "[]",
      good.slice(0, -1),
      good.replace('"operator"', '"root"'),
      good.replace('"version":1', '"version":2'),
      good.replace('"users":[]', '"users":[],"extra":1'),
    ];
    for (const content of broken) {
      await writeFile(file, content);
      expect([content, await access.members()]).toEqual([content, "broken"]);
      expect(await access.checkToken(text)).toBeNull();
      expect(await access.session("x.y")).toBeNull();
    }
    expect(lines.length).toBeLessThanOrEqual(broken.length);
    expect(lines[0]).toMatch(
      /access file .* cannot be used .*no named token and no user is let in.*trivault token create/,
    );
    await expect(token("other")).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    await writeFile(file, good);
    expect(await access.checkToken(text)).not.toBeNull();
  });

  test("tells no secret of it in what it says", async () => {
    await user("alice");
    const good = await readFile(file, "utf8");
    await writeFile(file, good.replace(/"totpSecret":"[^"]*"/, '"totpSecret":"geheim"'));
    const reason = await token("x").catch((error: Error) => error.message);
    expect(reason).toMatch(/users\.0\.totpSecret/);
    expect(reason).not.toMatch(/geheim/);
  });
});

describe("a login", () => {
  test("takes password and code, in one step or two, and gives a session", async () => {
    const { secret } = await user("alice");
    const first = await attempt();
    if (first.status !== "code-needed") throw new Error(first.status);
    const step = { ticket: first.ticket, ip: "192.0.2.1", device: null };
    const done = expectOk(await access.confirm({ ...step, code: await codeAt(secret) }));
    expect(done.identity).toEqual({ actor: "user:alice", role: "admin", via: "session" });
    expect((await access.session(done.session))?.identity).toEqual(done.identity);
    time += 30_000;
    expectOk(await attempt({ name: " Alice ", code: await codeAt(secret) }));
    expect(await listUsers(file)).toMatchObject([
      { name: "alice", lastLoginAt: now().toISOString(), recoveryCodesLeft: 10 },
    ]);
  });

  test("takes a code of the step before or after, once, and none older than one that was used", async () => {
    const { secret } = await user("alice");
    const ahead = await codeAt(secret, time + 30_000);
    expectOk(await attempt({ code: ahead }));
    const status = async (code: string) => (await attempt({ code })).status;
    expect(await status(ahead)).toBe("refused");
    expect(await status(await codeAt(secret))).toBe("refused"); // its step is before that of the one that was used
    access = open(); // as after a restart
    expect(await status(ahead)).toBe("refused");
    time += 90_000;
    expect(await status(await codeAt(secret, time - 60_000))).toBe("refused");
    expect(await status(await codeAt(secret, time - 30_000))).toBe("ok");
  });

  test("takes the same code from one of many who send it at once", async () => {
    const { secret } = await user("alice");
    const code = await codeAt(secret);
    const all = await Promise.all(Array.from({ length: 4 }, (_, i) => attempt({ code, ip: `192.0.2.${i}` })));
    expect(all.filter(({ status }) => status === "ok")).toHaveLength(1);
  });

  test("takes each recovery code once", async () => {
    const { recoveryCodes } = await user("alice");
    const [code = ""] = recoveryCodes;
    expect(new Set(recoveryCodes).size).toBe(10);
    const both = await Promise.all([attempt({ code }), attempt({ code: code.toUpperCase().replaceAll("-", " ") })]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(["ok", "refused"]);
    expect(await listUsers(file)).toMatchObject([{ recoveryCodesLeft: 9 }]);
  });

  test.each([
    ["none", ""],
    ["five digits", "12345"],
    ["seven digits", "1234567"],
    ["letters", "abcdef"],
    ["digits of another script", "０００００0"],
    ["an unknown recovery code", "aaaa-aaaa-aaaa-aaaa"],
    ["a very long one", "x".repeat(5000)],
  ])("refuses as a code %s", async (_what, code) => {
    await user("alice");
    expect((await attempt({ code })).status).toBe("refused");
  });

  test("answers the same for who is not there, and computes as much", async () => {
    await user("alice");
    const known: LoginResult[] = [];
    const unknown: LoginResult[] = [];
    for (let i = 0; i < 6; i++) {
      known.push(await wrong({ ip: "192.0.2.1" }));
      unknown.push(await wrong({ name: "nobody", ip: "192.0.2.2" }));
    }
    const told = (results: LoginResult[]) => results.map((result) => ({ ...result, user: undefined }));
    expect(told(known)).toEqual(told(unknown));
    expect(known.map(({ status }) => status)).toEqual(["refused", "refused", "refused", "refused", "locked", "locked"]);
    expect(unknown[0]).toEqual({ status: "refused", user: null });
  });

  test("needs a ticket that is ours, of now, and of a user as they were", async () => {
    const { secret } = await user("alice");
    const first = await attempt();
    if (first.status !== "code-needed") throw new Error(first.status);
    const confirm = async (ticket: string) =>
      access.confirm({ ticket, ip: "192.0.2.1", device: null, code: await codeAt(secret) });
    expect(await confirm(`${first.ticket}x`)).toBeNull();
    expect(await confirm("")).toBeNull();
    expect(await confirm(expectOk(await attempt({ code: await codeAt(secret) })).session)).toBeNull();
    time += 5 * 60_000;
    expect(await confirm(first.ticket)).toBeNull();
    time -= 60_000;
    await resetUser(file, { name: "alice", password: PASSWORD }, COST);
    expect(await confirm(first.ticket)).toBeNull();
  });

  test("is no way to look for names: what was typed stands nowhere in clear", async () => {
    await user("alice");
    await wrong({ name: "my-password-by-mistake" });
    expect(await readFile(file.replace(".json", "-state.json"), "utf8")).not.toMatch(/by-mistake|192\.0/);
  });
});

describe("a lock-out", () => {
  const locked = async (changes: Partial<Parameters<Access["login"]>[0]> = {}) =>
    (await wrong(changes)).status === "locked";
  async function fail(times: number, changes: Partial<Parameters<Access["login"]>[0]> = {}) {
    for (let i = 0; i < times; i++) await wrong(changes);
  }

  test("comes after five failures, holds for the right password too, and over a restart", async () => {
    const { secret } = await user("alice");
    await fail(5);
    access = open();
    expect(await attempt({ code: await codeAt(secret) })).toEqual({
      status: "locked",
      until: new Date(START + 30_000),
      user: "alice",
    });
    time += 30_000;
    expectOk(await attempt({ code: await codeAt(secret) }));
    expect((await wrong()).status).toBe("refused"); // all was forgotten
  });

  test("grows with each failure up to a quarter of an hour, and trying meanwhile makes it no longer", async () => {
    await user("alice");
    const waits: number[] = [];
    await fail(4);
    for (let i = 0; i < 8; i++) {
      const result = await wrong();
      if (result.status !== "locked") throw new Error(result.status);
      waits.push((result.until.getTime() - time) / 1000);
      await fail(10);
      time = result.until.getTime();
    }
    expect(waits).toEqual([30, 60, 120, 240, 480, 900, 900, 900]);
    time += 24 * HOUR;
    expect((await wrong()).status).toBe("refused");
  });

  test("is of the user, wherever from, and of the address, whoever it tries", async () => {
    const { secret } = await user("alice");
    for (let i = 0; i < 5; i++) await wrong({ ip: `192.0.2.${i}` });
    expect(await locked({ ip: "192.0.2.99" })).toBe(true);
    for (let i = 0; i < 5; i++) await wrong({ name: `nobody${i}`, ip: "2001:db8:1:2::1" });
    expect(await locked({ name: "bob", ip: "2001:db8:1:2:ffff::9" })).toBe(true);
    expect(await locked({ name: "bob", ip: "2001:db8:1:3::1" })).toBe(false);
    time += 60_000;
    expectOk(await attempt({ ip: "192.0.2.77", code: await codeAt(secret) }));
  });

  test("holds nobody up who has logged in from that browser before", async () => {
    const { secret } = await user("alice");
    const { device } = expectOk(await attempt({ code: await codeAt(secret) }));
    await fail(5);
    time += 30_000;
    expect(await locked({ device: `${device}x` })).toBe(true); // a forged one is none
    expect(await attempt({ code: await codeAt(secret) })).toMatchObject({ status: "locked" });
    expect(expectOk(await attempt({ code: await codeAt(secret), device })).device).toBe(device);
    await fail(5, { device });
    expect(await locked({ device })).toBe(true); // it is a key to a door of its own, and not past all doors
  });

  test("a right password does not make one forget: codes cannot be tried for ever", async () => {
    await user("alice");
    const statuses: string[] = [];
    for (let i = 0; i < 6; i++) {
      const first = await attempt();
      statuses.push(first.status);
      if (first.status !== "code-needed") continue;
      await access.confirm({ ticket: first.ticket, code: "000000", ip: "192.0.2.1", device: null });
    }
    expect(statuses.slice(0, 5)).toEqual(Array.from({ length: 5 }, () => "code-needed"));
    expect(statuses[5]).toBe("locked");
  });

  test("a hundred at once are a hundred failures", async () => {
    await user("alice");
    const all = await Promise.all(Array.from({ length: 30 }, (_, i) => wrong({ ip: `192.0.2.${i}` })));
    expect(all.filter(({ status }) => status === "refused").length).toBeLessThanOrEqual(4);
  });

  test("holds, in memory, where nothing can be written", async () => {
    await user("alice");
    await writeFile(file.replace(".json", "-state.json.lock"), "no database, so no lock".repeat(100));
    await fail(5);
    expect(await locked()).toBe(true);
  });

  test("a state file that is damaged lets nobody log in, and tokens in", async () => {
    const { secret } = await user("alice");
    const text = await token("ci");
    const { session } = expectOk(await attempt({ code: await codeAt(secret) }));
    await writeFile(file.replace(".json", "-state.json"), "{");
    await expect(attempt()).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    expect(await access.session(session)).toBeNull();
    expect(await access.checkToken(text)).not.toBeNull();
  });
});

describe("a session", () => {
  async function begin() {
    const { secret } = await user("alice");
    return expectOk(await attempt({ code: await codeAt(secret) })).session;
  }

  test("ends after an hour without a request", async () => {
    const cookie = await begin();
    time += HOUR - 1;
    expect(await access.session(cookie)).not.toBeNull();
    time += 1;
    expect(await access.session(cookie)).toBeNull();
  });

  test("goes on while it is used, and ends after twelve hours all the same", async () => {
    let cookie = await begin();
    expect((await access.session(cookie))?.refreshed).toBeNull();
    for (let minutes = 30; minutes < 12 * 60; minutes += 30) {
      time += 30 * 60_000;
      const session = await access.session(cookie);
      if (!session?.refreshed) throw new Error(`ended after ${minutes} minutes`);
      cookie = session.refreshed;
    }
    time += 30 * 60_000;
    expect(await access.session(cookie)).toBeNull();
  });

  test.each([
    ["the password is set anew", () => resetUser(file, { name: "alice", password: PASSWORD }, COST)],
    ["the role changes", () => resetUser(file, { name: "alice", password: PASSWORD, role: "viewer" as const }, COST)],
    ["the user is removed", () => removeUser(file, "alice")],
    [
      "the user is removed and made again",
      async () => {
        await removeUser(file, "alice");
        await user("alice");
      },
    ],
  ])("ends when %s", async (_what, change) => {
    const cookie = await begin();
    expect(await access.session(cookie)).not.toBeNull();
    await change();
    expect(await access.session(cookie)).toBeNull();
  });

  test("ends when it is left, also over a restart, and no other one does", async () => {
    const { secret } = await user("alice");
    const first = expectOk(await attempt({ code: await codeAt(secret) })).session;
    time += 30_000;
    const second = expectOk(await attempt({ code: await codeAt(secret) })).session;
    const session = await access.session(first);
    if (session === null) throw new Error("no session");
    await access.endSession(session);
    access = open();
    expect(await access.session(first)).toBeNull();
    expect(await access.session(second)).not.toBeNull();
  });

  test("cannot be made up, nor changed, nor be something else that was signed", async () => {
    const cookie = await begin();
    const [body = "", signature = ""] = cookie.split(".");
    const other = Buffer.from(body, "base64url").toString().replace("alice", "admin");
    const { device } = expectOk(
      await attempt({
        code: (await resetUser(file, { name: "alice", password: PASSWORD }, COST)).recoveryCodes[0] ?? "",
      }),
    );
    const forged = [
      "",
      ".",
      body,
      `${body}.`,
      `.${signature}`,
      `${Buffer.from(other).toString("base64url")}.${signature}`,
      `${cookie}.x`,
      device,
      "x".repeat(10_000),
    ];
    for (const each of forged) expect(await access.session(each)).toBeNull();
  });

  test("has a CSRF token of its own", async () => {
    const first = await access.csrfToken("session one");
    expect(await access.checkCsrf("session one", first)).toBe(true);
    for (const other of ["", "x", first.slice(1), await access.csrfToken("session two")]) {
      expect(await access.checkCsrf("session one", other)).toBe(false);
    }
  });
});

describe("a user", () => {
  test.each([
    ["short", "short"],
    ["of one letter", "a".repeat(20)],
    ["very long", "correct horse ".repeat(80)],
  ])("cannot have a password that is %s", async (_what, password) => {
    const add = addUser(file, { name: "alice", role: "viewer", password, createdBy: "x" }, now(), COST);
    await expect(add).rejects.toMatchObject({ code: "INPUT_INVALID" });
  });

  test("has nothing in the file that opens anything but the second factor's secret, and is told by a link", async () => {
    const { otpauthUrl, recoveryCodes } = await user("alice@example.org");
    expect(otpauthUrl).toMatch(/^otpauth:\/\/totp\/Trivault:alice%40example\.org\?.*secret=[A-Z2-7]{32}/);
    const text = await readFile(file, "utf8");
    expect(text).not.toContain(PASSWORD);
    for (const code of recoveryCodes) expect(text).not.toContain(code);
    await expect(user("alice@example.org")).rejects.toMatchObject({ code: "EXISTS" });
  });

  test("has a password that costs what OWASP asks for, unless told otherwise", async () => {
    await addUser(file, { name: "bob", role: "viewer", password: PASSWORD, createdBy: "x" }, now());
    const { password } = JSON.parse(await readFile(file, "utf8")).users[0];
    expect(password).toMatchObject({ cost: 32_768, blockSize: 8, parallelization: 3 });
    expect((await attempt({ name: "bob" })).status).toBe("code-needed");
  });
});

test("a file that cannot be read is none that lets all in", async () => {
  await mkdir(file, { recursive: true });
  expect(await access.members()).toBe("broken");
});
