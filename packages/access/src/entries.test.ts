import { readFile } from "node:fs/promises";
import { describe, expect, test } from "@jest/globals";
import { accessUnderTest, COST, PASSWORD } from "../test/access-under-test.ts";
import { addUser } from "./entries.ts";

const site = accessUnderTest();
const { attempt, now, user } = site;

describe("a user", () => {
  test.each([
    ["short", "short"],
    ["of one letter", "a".repeat(20)],
    ["very long", "correct horse ".repeat(80)],
  ])("cannot have a password that is %s", async (_what, password) => {
    const add = addUser(site.file, { name: "alice", role: "viewer", password, createdBy: "x" }, now(), COST);
    await expect(add).rejects.toMatchObject({ code: "INPUT_INVALID" });
  });

  test("has nothing in the file that opens anything but the second factor's secret, and can be shown as a link", async () => {
    const { otpauthUrl, recoveryCodes } = await user("alice@example.org");
    expect(otpauthUrl).toMatch(/^otpauth:\/\/totp\/Trivault:alice%40example\.org\?.*secret=[A-Z2-7]{32}/);
    const text = await readFile(site.file, "utf8");
    expect(text).not.toContain(PASSWORD);
    for (const code of recoveryCodes) expect(text).not.toContain(code);
    await expect(user("alice@example.org")).rejects.toMatchObject({ code: "EXISTS" });
  });

  test("has a password that costs what OWASP asks for, unless set otherwise", async () => {
    await addUser(site.file, { name: "bob", role: "viewer", password: PASSWORD, createdBy: "x" }, now());
    const { password } = JSON.parse(await readFile(site.file, "utf8")).users[0];
    expect(password).toMatchObject({ cost: 32_768, blockSize: 8, parallelization: 3 });
    expect((await attempt({ name: "bob" })).status).toBe("code-needed");
  });
});
