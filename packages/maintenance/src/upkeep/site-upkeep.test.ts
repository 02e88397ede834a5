import { mkdir, readdir, stat, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { type FakeSite, fakeSite, idsOf, putBackup } from "../../test/fake-site.ts";
import { ALL, maintain, shop, wholeOn } from "../../test/rounds.ts";
import { catchUp } from "./catch-up.ts";

let fake: FakeSite;
beforeEach(async () => {
  fake = await fakeSite();
});
afterEach(async () => fake[Symbol.asyncDispose]());

describe("the site's own upkeep", () => {
  async function putRun(id: string, dumped: boolean): Promise<string> {
    const run = path.join(fake.config.backupDir, ".trivault/runs", id);
    const spool = path.join(fake.config.spoolDir, id);
    await mkdir(run, { recursive: true });
    await mkdir(spool, { recursive: true });
    await writeFile(path.join(run, "run.json"), JSON.stringify({ database: "shop" }));
    await writeFile(path.join(spool, "part-000000"), "plaintext");
    if (dumped) {
      const details = { parts: 1, lastPartSize: 9, startedAt: new Date().toISOString(), tools: {}, extras: [] };
      await writeFile(
        path.join(run, "dumped.json"),
        JSON.stringify({ ...details, server: { version: "17", major: 17 } }),
      );
    }
    const longAgo = new Date(Date.now() - 3_600_000);
    await utimes(run, longAgo, longAgo);
    return spool;
  }

  test("a run whose dump is whole is gone on with; one whose workers died is ended, and its plaintext goes", async () => {
    const [whole = "", torn = ""] = idsOf(2);
    await putRun(whole, true);
    const spool = await putRun(torn, false);
    expect(await maintain(fake, "local")).toMatchObject({ runsEnded: 1 });
    expect(fake.started).toEqual([{ stage: "encrypt", ...shop(whole) }]);
    await expect(stat(spool)).rejects.toThrow("ENOENT");
  });

  test("without workers, catching up seals what was dumped and brings every copy", async () => {
    const [sealed = "", dumped = ""] = idsOf(2);
    await putBackup([fake.tier("local")], fake.signingKey, shop(sealed));
    await putRun(dumped, true);
    await catchUp(fake.site, fake.context);
    for (const name of ALL) expect(await wholeOn(fake, name)).toEqual([sealed, dumped]);
    expect(await readdir(fake.config.spoolDir)).toEqual([]);
    const recorded = fake.events.map(({ action, tier = "", outcome }) => `${action} ${tier} ${outcome}`);
    expect(recorded.toSorted((x, y) => (x < y ? -1 : 1))).toEqual([
      "backup.copy cloud ok",
      "backup.copy cloud ok",
      "backup.copy remote ok",
      "backup.copy remote ok",
      "backup.encrypt local ok",
    ]);
  });

  test("a tier that refuses its copy is noted, and the others get theirs", async () => {
    const [id = ""] = idsOf(1);
    await putBackup([fake.tier("local")], fake.signingKey, shop(id));
    const site = fake.with((store, name) => ({
      ...store,
      put(...args) {
        if (name === "remote") throw new Error("disk full");
        return store.put(...args);
      },
    }));
    await catchUp(site, fake.context);
    expect(await wholeOn(fake, "cloud")).toEqual([id]);
    expect(fake.notes).toContainEqual(`copy of ${id} to remote failed again: disk full`);
  });
});
