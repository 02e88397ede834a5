import { mkdir, readFile, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { listCopies } from "@trivault/backup";
import type { Key } from "@trivault/core";
import { bytesSource } from "@trivault/storage";
import { type FakeClock, type FakeSite, fakeSite, idsOf } from "../../test/fake-site.ts";
import { maintain, maintainAll, putEverywhere } from "../../test/rounds.ts";

let fake: FakeSite;
let clock: FakeClock;
beforeEach(async () => {
  clock = { now: null };
  fake = await fakeSite({ clock });
});
afterEach(async () => fake[Symbol.asyncDispose]());

describe("sweeping", () => {
  const orphan = "20260101t000000z-0rphan00";
  const HOUR = 3_600_000;

  async function putOrphan(hoursOld: number): Promise<string> {
    const segment = `shop/${orphan}/data-000001.zst` as Key;
    await fake.tier("local").store.put(segment, bytesSource(Buffer.from("half")));
    const file = path.join(fake.config.backupDir, segment);
    const then = new Date(Date.now() - hoursOld * HOUR);
    await utimes(file, then, then);
    return file;
  }

  test("takes what is old by the clock and by the tier, and is recorded", async () => {
    await putEverywhere(fake, idsOf(1));
    await putOrphan(25);
    expect(await maintain(fake, "local")).toMatchObject({ remainsRemoved: 1 });
    expect((await listCopies(fake.tier("local"))).map(({ complete }) => complete)).toEqual([true]);
    expect(fake.events).toMatchObject([{ action: "tier.swept", backupId: orphan }]);
  });

  test("leaves what is young, also where the clock is years ahead, and what a run is making", async () => {
    await putEverywhere(fake, idsOf(1));
    const file = await putOrphan(23);
    clock.now = new Date(Date.now() + 10 * 365 * 24 * HOUR);
    expect(await maintain(fake, "local")).toMatchObject({ remainsRemoved: 0 });
    clock.now = null;
    const long = new Date(Date.now() - 30 * HOUR);
    await utimes(file, long, long);
    const run = path.join(fake.config.backupDir, ".trivault/runs", orphan);
    await mkdir(run, { recursive: true });
    await writeFile(path.join(run, "run.json"), JSON.stringify({ database: "shop" }));
    expect(await maintain(fake, "local")).toMatchObject({ remainsRemoved: 0, runsEnded: 0 });
    expect(await readFile(file, "utf8")).toBe("half");
  });

  test("leaves foreign files alone, whatever their names", async () => {
    const at = (name: string) => path.join(fake.config.backupDir, name);
    await mkdir(at("shop/notes"), { recursive: true });
    await mkdir(at("Other Tool"), { recursive: true });
    const foreign = ["notes.txt", "shop/notes/data-000001.zst", "Other Tool/manifest.json", "shop/.x.tmp"];
    const longAgo = new Date(Date.now() - 1000 * HOUR);
    for (const name of foreign) {
      await writeFile(at(name), "mine");
      await utimes(at(name), longAgo, longAgo);
    }
    await putEverywhere(fake, idsOf(1));
    await maintainAll(fake);
    for (const name of foreign) expect(await readFile(at(name), "utf8")).toBe("mine");
  });
});
