import { chmod, readdir, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { makeTempDir, ofAnotherUser, type TempDir } from "@trivault/testkit";
import { siteJobKey } from "./job-key.ts";
import { isSealed, sealed } from "./job-seal.ts";

let dir: TempDir;
beforeEach(async () => {
  dir = await makeTempDir("tv-key");
});
afterEach(() => dir.remove());
const file = () => path.join(dir.path, ".trivault/jobs.key");

describe("9.C21 the key of a site's jobs", () => {
  it("is one for all processes that start at once, and their secret", async () => {
    const keys = await Promise.all(Array.from({ length: 10 }, () => siteJobKey(dir.path)()));
    expect(new Set(keys.map((key) => key.toString("hex"))).size).toBe(1);
    expect(await readdir(path.join(dir.path, ".trivault"))).toEqual(["jobs.key"]);
    expect((await stat(file())).mode & 0o777).toBe(0o600);
  });

  it("is not believed where others could read or write it, or it is damaged", async () => {
    const key = siteJobKey(dir.path);
    await key();
    await chmod(file(), 0o644);
    await expect(key()).rejects.toMatchObject({ code: "KEY_FILE", message: expect.stringContaining("chmod 600") });
    await chmod(file(), 0o600);
    {
      await using _ = await ofAnotherUser(file());
      await expect(key()).rejects.toMatchObject({ code: "KEY_FILE", message: expect.stringContaining("belongs to") });
    }
    await writeFile(file(), "short\n");
    await expect(key()).rejects.toMatchObject({ code: "KEY_FILE", message: expect.stringContaining("damaged") });
    await rm(file());
    expect(await key()).toHaveLength(32);
  });

  it("seals by what a job is, in whatever order, and by nothing that JSON leaves out", async () => {
    const key = Buffer.alloc(32, 1);
    const job = { queue: "dump", name: "dump", id: "a" };
    const data = sealed(key, job, { b: undefined, database: "shop", actor: "user:me" });
    const { proof, ...content } = JSON.parse(JSON.stringify(data));
    expect(isSealed(key, job, { actor: content.actor, proof, database: content.database })).toBe(true);
    expect(isSealed(key, { ...job, id: "b" }, data)).toBe(false);
    expect(isSealed(Buffer.alloc(32, 2), job, data)).toBe(false);
    const deep = JSON.parse(`${"[".repeat(100_000)}${"]".repeat(100_000)}`);
    for (const foreign of [null, "x", [], {}, { proof: 1 }, { proof: "" }, { proof, x: deep }]) {
      expect(isSealed(key, job, foreign)).toBe(false);
    }
  });
});
