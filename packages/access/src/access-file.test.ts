import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { Writable } from "node:stream";
import { describe, expect, test } from "@jest/globals";
import { createLogger } from "@trivault/core";
import { ofAnotherUser } from "@trivault/testkit";
import { accessUnderTest } from "../test/access-under-test.ts";

const site = accessUnderTest();
const { token, user } = site;

describe("the file", () => {
  test("lets nobody in where it is broken, says so once, and is read again when it is mended", async () => {
    const lines: string[] = [];
    const write = (chunk: Buffer, _: string, done: () => void) => {
      lines.push(chunk.toString());
      done();
    };
    site.open(createLogger("info", "test", new Writable({ write })));
    expect(await site.access.members()).toBe("empty");
    const text = await token("ci");
    const good = await readFile(site.file, "utf8");
    expect(await site.access.members()).toBe("tokens");
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
      await writeFile(site.file, content);
      expect([content, await site.access.members()]).toEqual([content, "broken"]);
      expect(await site.access.checkToken(text)).toBeNull();
      expect(await site.access.session("x.y")).toBeNull();
    }
    expect(lines.length).toBeLessThanOrEqual(broken.length);
    expect(lines[0]).toMatch(
      /access file .* cannot be used .*no named token and no user is let in.*trivault token create/,
    );
    await expect(token("other")).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    await writeFile(site.file, good);
    expect(await site.access.checkToken(text)).not.toBeNull();
  });

  test("reveals no secret in its messages", async () => {
    await user("alice");
    const good = await readFile(site.file, "utf8");
    await writeFile(site.file, good.replace(/"totpSecret":"[^"]*"/, '"totpSecret":"geheim"'));
    const reason = await token("x").catch((error: Error) => error.message);
    expect(reason).toMatch(/users\.0\.totpSecret/);
    expect(reason).not.toMatch(/geheim/);
  });
});

test("9.C18 a file that others can write or read is none that lets anybody in", async () => {
  const text = await token("ci");
  await chmod(site.file, 0o644);
  expect(await site.access.members()).toBe("broken");
  expect(await site.access.checkToken(text)).toBeNull();
  await chmod(site.file, 0o600);
  expect(await site.access.members()).toBe("tokens");
  await using _ = await ofAnotherUser(site.file);
  expect(await site.access.checkToken(text)).toBeNull();
});

test("a file that cannot be read is none that lets all in", async () => {
  await mkdir(site.file, { recursive: true });
  expect(await site.access.members()).toBe("broken");
});
