import { readFile } from "node:fs/promises";
import { describe, expect, test } from "@jest/globals";
import { accessUnderTest, COST, expectOk, PASSWORD } from "../test/access-under-test.ts";
import { resetUser } from "./entries.ts";
import { listUsers } from "./lists.ts";
import type { LoginResult } from "./login.ts";

const site = accessUnderTest();
const { attempt, codeAt, now, user, wrong } = site;

describe("a login", () => {
  test("takes password and code, in one step or two, and gives a session", async () => {
    const { secret } = await user("alice");
    const first = await attempt();
    if (first.status !== "code-needed") throw new Error(first.status);
    const step = { ticket: first.ticket, ip: "192.0.2.1", device: null };
    const done = expectOk(await site.access.confirm({ ...step, code: await codeAt(secret) }));
    expect(done.identity).toEqual({ actor: "user:alice", role: "admin", via: "session" });
    expect((await site.access.session(done.session))?.identity).toEqual(done.identity);
    site.time += 30_000;
    expectOk(await attempt({ name: " Alice ", code: await codeAt(secret) }));
    expect(await listUsers(site.file)).toMatchObject([
      { name: "alice", lastLoginAt: now().toISOString(), recoveryCodesLeft: 10 },
    ]);
  });

  test("takes a code of the step before or after, once, and none older than one that was used", async () => {
    const { secret } = await user("alice");
    const ahead = await codeAt(secret, site.time + 30_000);
    expectOk(await attempt({ code: ahead }));
    const status = async (code: string) => (await attempt({ code })).status;
    expect(await status(ahead)).toBe("refused");
    expect(await status(await codeAt(secret))).toBe("refused"); // its step is before that of the one that was used
    site.open(); // as after a restart
    expect(await status(ahead)).toBe("refused");
    site.time += 90_000;
    expect(await status(await codeAt(secret, site.time - 60_000))).toBe("refused");
    expect(await status(await codeAt(secret, site.time - 30_000))).toBe("ok");
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
    expect(new Set(both.map(({ status }) => status))).toEqual(new Set(["ok", "refused"]));
    expect(await listUsers(site.file)).toMatchObject([{ recoveryCodesLeft: 9 }]);
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
    const withoutUser = (results: LoginResult[]) => results.map((result) => ({ ...result, user: undefined }));
    expect(withoutUser(known)).toEqual(withoutUser(unknown));
    expect(known.map(({ status }) => status)).toEqual(["refused", "refused", "refused", "refused", "locked", "locked"]);
    expect(unknown[0]).toEqual({ status: "refused", user: null });
  });

  test("needs a ticket that is ours, of now, and of a user as they were", async () => {
    const { secret } = await user("alice");
    const first = await attempt();
    if (first.status !== "code-needed") throw new Error(first.status);
    const confirm = async (ticket: string) =>
      site.access.confirm({ ticket, ip: "192.0.2.1", device: null, code: await codeAt(secret) });
    expect(await confirm(`${first.ticket}x`)).toBeNull();
    expect(await confirm("")).toBeNull();
    expect(await confirm(expectOk(await attempt({ code: await codeAt(secret) })).session)).toBeNull();
    site.time += 5 * 60_000;
    expect(await confirm(first.ticket)).toBeNull();
    site.time -= 60_000;
    await resetUser(site.file, { name: "alice", password: PASSWORD }, COST);
    expect(await confirm(first.ticket)).toBeNull();
  });

  test("is no way to look for names: what was typed stands nowhere in clear", async () => {
    await user("alice");
    await wrong({ name: "my-password-by-mistake" });
    expect(await readFile(site.file.replace(".json", "-state.json"), "utf8")).not.toMatch(/by-mistake|192\.0/);
  });
});
