import { describe, expect, test } from "@jest/globals";
import { accessUnderTest, COST, expectOk, HOUR, PASSWORD } from "../test/access-under-test.ts";
import { removeUser, resetUser } from "./entries.ts";

const site = accessUnderTest();
const { attempt, codeAt, user } = site;

describe("a session", () => {
  async function begin() {
    const { secret } = await user("alice");
    return expectOk(await attempt({ code: await codeAt(secret) })).session;
  }

  test("ends after an hour without a request", async () => {
    const cookie = await begin();
    site.time += HOUR - 1;
    expect(await site.access.session(cookie)).not.toBeNull();
    site.time += 1;
    expect(await site.access.session(cookie)).toBeNull();
  });

  test("goes on while it is used, and ends after twelve hours all the same", async () => {
    let cookie = await begin();
    expect((await site.access.session(cookie))?.refreshed).toBeNull();
    for (let minutes = 30; minutes < 12 * 60; minutes += 30) {
      site.time += 30 * 60_000;
      const session = await site.access.session(cookie);
      if (!session?.refreshed) throw new Error(`ended after ${minutes} minutes`);
      cookie = session.refreshed;
    }
    site.time += 30 * 60_000;
    expect(await site.access.session(cookie)).toBeNull();
  });

  test.each([
    ["the password is set anew", () => resetUser(site.file, { name: "alice", password: PASSWORD }, COST)],
    [
      "the role changes",
      () => resetUser(site.file, { name: "alice", password: PASSWORD, role: "viewer" as const }, COST),
    ],
    ["the user is removed", () => removeUser(site.file, "alice")],
    [
      "the user is removed and made again",
      async () => {
        await removeUser(site.file, "alice");
        await user("alice");
      },
    ],
  ])("ends when %s", async (_what, change) => {
    const cookie = await begin();
    expect(await site.access.session(cookie)).not.toBeNull();
    await change();
    expect(await site.access.session(cookie)).toBeNull();
  });

  test("ends when it is left, also over a restart, and no other one does", async () => {
    const { secret } = await user("alice");
    const first = expectOk(await attempt({ code: await codeAt(secret) })).session;
    site.time += 30_000;
    const second = expectOk(await attempt({ code: await codeAt(secret) })).session;
    const session = await site.access.session(first);
    if (session === null) throw new Error("no session");
    await site.access.endSession(session);
    site.open();
    expect(await site.access.session(first)).toBeNull();
    expect(await site.access.session(second)).not.toBeNull();
  });

  test("cannot be made up, nor changed, nor be something else that was signed", async () => {
    const cookie = await begin();
    const [body = "", signature = ""] = cookie.split(".");
    const other = Buffer.from(body, "base64url").toString().replace("alice", "admin");
    const { device } = expectOk(
      await attempt({
        code: (await resetUser(site.file, { name: "alice", password: PASSWORD }, COST)).recoveryCodes[0] ?? "",
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
    for (const each of forged) expect(await site.access.session(each)).toBeNull();
  });

  test("has a CSRF token of its own", async () => {
    const first = await site.access.csrfToken("session one");
    expect(await site.access.checkCsrf("session one", first)).toBe(true);
    for (const other of ["", "x", first.slice(1), await site.access.csrfToken("session two")]) {
      expect(await site.access.checkCsrf("session one", other)).toBe(false);
    }
  });
});
