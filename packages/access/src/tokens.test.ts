import { readFile, stat } from "node:fs/promises";
import { describe, expect, test } from "@jest/globals";
import { accessUnderTest, HOUR, START } from "../test/access-under-test.ts";
import { revokeToken } from "./entries.ts";
import { listTokens } from "./lists.ts";

const site = accessUnderTest();
const { now, token } = site;

describe("tokens", () => {
  test("are known by their hash alone, with role and name", async () => {
    const text = await token("ci");
    expect(text).toMatch(/^tv_[\w-]{43}$/);
    expect(await site.access.checkToken(text)).toEqual({ actor: "token:ci", role: "operator", via: "token" });
    expect(await readFile(site.file, "utf8")).not.toContain(text.slice(3));
    expect((await stat(site.file)).mode & 0o777).toBe(0o600);
    for (const other of ["", "tv_", text.slice(0, -1), `${text}x`, text.toUpperCase(), "x".repeat(10_000)]) {
      expect(await site.access.checkToken(other)).toBeNull();
    }
  });

  test("end when they expire, and when they are revoked", async () => {
    const short = await token("short", { expiresAt: new Date(START + HOUR) });
    const long = await token("long");
    site.time += HOUR - 1;
    expect(await site.access.checkToken(short)).not.toBeNull();
    site.time += 1;
    expect(await site.access.checkToken(short)).toBeNull();
    expect(await site.access.checkToken(long)).not.toBeNull();
    await revokeToken(site.file, "long");
    expect(await site.access.checkToken(long)).toBeNull();
    expect(await site.access.members()).toBe("tokens"); // an expired one still says that somebody set this up
  });

  test("are listed without anything secret, with when they were used", async () => {
    const text = await token("ci");
    expect(await listTokens(site.file, now())).toMatchObject([{ name: "ci", expired: false, lastUsedAt: null }]);
    site.time += 1000;
    await site.access.checkToken(text);
    await site.access.close();
    const listed = await listTokens(site.file, now());
    expect(listed).toMatchObject([{ lastUsedAt: new Date(site.time).toISOString() }]);
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
    await expect(revokeToken(site.file, "ci")).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(stat(site.file)).rejects.toMatchObject({ code: "ENOENT" });
    await token("ci");
    await expect(token("ci")).rejects.toMatchObject({ code: "EXISTS" });
  });

  test("twenty that are made at once are all there", async () => {
    await Promise.all(Array.from({ length: 20 }, (_, i) => token(`t${i}`)));
    expect(await listTokens(site.file, now())).toHaveLength(20);
  });
});
