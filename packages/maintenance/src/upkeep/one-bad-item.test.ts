import { mkdir, readdir, stat, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { listCopies, listInUse, listSlotRuns, runDirectory } from "@trivault/backup";
import { type Config, type Key, newBackupId, TrivaultError } from "@trivault/core";
import { bytesSource, type Store } from "@trivault/storage";
import { type FakeSite, fakeSite, idsOf, putBackup } from "../../test/fake-site.ts";
import { catchUp } from "./catch-up.ts";
import { maintainTier } from "./maintain-tier.ts";
import { writeSeen } from "../plan/retention-state.ts";
import { rulesOf } from "../plan/rules-change.ts";

/** One run, copy or file that cannot be dealt with holds up nothing else. */
let fake: FakeSite;
beforeEach(async () => void (fake = await fakeSite({ change: keepingOne })));
afterEach(async () => fake[Symbol.asyncDispose]());

const shop = (backupId: string) => ({ database: "shop", backupId });
const trivault = (...names: string[]) => path.join(fake.config.backupDir, ".trivault", ...names);
const longAgo = new Date(Date.now() - 48 * 3_600_000);

function keepingOne(config: Config): Config {
  const nothing = { hourly: 0, daily: 0, weekly: 0, monthly: 0, yearly: 0, withinSeconds: null, atLeast: 1 };
  const retention = { local: { ...nothing, last: 1 }, remote: null, cloud: null };
  return { ...config, databases: config.databases.map((database) => ({ ...database, retention })) };
}

async function putRun(id: string, run: object | string = { database: "shop" }): Promise<string> {
  const spool = path.join(fake.config.spoolDir, id);
  for (const folder of [trivault("runs", id), spool]) await mkdir(folder, { recursive: true });
  await writeFile(path.join(trivault("runs", id), "run.json"), typeof run === "string" ? run : JSON.stringify(run));
  await writeFile(path.join(spool, "part-000000"), "plaintext");
  await utimes(trivault("runs", id), longAgo, longAgo);
  return spool;
}

/** Old enough to be swept. */
async function putOrphan(id: string): Promise<void> {
  const key = `shop/${id}/data-000001.zst` as Key;
  await fake.tier("local").store.put(key, bytesSource(Buffer.from("half")));
  await utimes(path.join(fake.config.backupDir, key), longAgo, longAgo);
}

/** As the bad item's folder would be on a disk with an error, or another user's. */
const failing = (id: string, ...methods: ("get" | "delete" | "sweep")[]) =>
  fake.with((store, name) => {
    if (name !== "local") return store;
    const fail = (key: string) => {
      if (key.includes(id)) throw new TrivaultError("STORE_FAILED", `local: ${id}: EIO`);
    };
    return {
      ...store,
      ...(methods.includes("get") && { get: (key, options) => (fail(key), store.get(key, options)) }),
      ...(methods.includes("delete") && { delete: async (key, options) => (fail(key), store.delete(key, options)) }),
      ...(methods.includes("sweep") && { sweep: async (prefix) => (fail(prefix || id), 0) }),
    } satisfies Store;
  });

describe("9.A1 a round of the local tier goes on", () => {
  const local = (site = fake.site) => maintainTier(site, "local", fake.context);

  test.each(["whose manifest cannot be read", "whose run.json is torn"])("past a run %s", async (what) => {
    const [bad = "", dead = "", kept = ""] = idsOf(3);
    await putBackup(fake.site.tiers, fake.signingKey, shop(kept));
    if (what.includes("torn")) await putRun(bad, "{ torn");
    else await putRun(bad);
    await putBackup([fake.tier("local")], fake.signingKey, shop(bad));
    const plaintext = await putRun(dead);
    const found = await local(failing(bad, "get"));
    expect(found).toMatchObject({ reachable: true, runsEnded: 1, found: { complete: 1, unknown: 1 } });
    await expect(stat(plaintext)).rejects.toThrow("ENOENT");
    expect(fake.notes).toContainEqual(expect.stringMatching(new RegExp(`the run ${bad} could not be looked after`)));
    expect(await readdir(trivault("runs"))).toContain(bad);
  });

  test("past an orphan and temporary files that cannot be removed", async () => {
    const bad = "20260101t000000z-0rphan00";
    const orphan = "20260102t000000z-0rphan00";
    await putBackup(fake.site.tiers, fake.signingKey, shop(idsOf(1)[0] ?? ""));
    for (const id of [bad, orphan]) await putOrphan(id);
    expect(await local(failing(bad, "delete", "sweep"))).toMatchObject({ remainsRemoved: 1 });
    expect(fake.notes.filter((note) => /could not be removed/.test(note))).toHaveLength(2);
  });

  test("past a copy that cannot be deleted", async () => {
    const ids = idsOf(4);
    for (const id of ids) await putBackup(fake.site.tiers, fake.signingKey, shop(id));
    const known = {
      newest: newBackupId(new Date("2100-01-01")),
      held: null,
      accepted: rulesOf(fake.config.databases[0] ?? null),
    };
    await writeSeen(fake.config, "local", { databases: { shop: known }, refused: false });
    const bad = ids[2] ?? "";
    for (const name of ["remote", "cloud"]) await maintainTier(fake.site, name, fake.context);
    const { deleted, warnings } = await local(failing(bad, "delete"));
    expect(deleted).toBe(2);
    expect(warnings).toContainEqual(expect.stringMatching(new RegExp(`${bad} could not be deleted from local.*EIO`)));
    expect((await listCopies(fake.tier("local"))).map(({ backupId }) => backupId)).toEqual(ids.slice(2));
  });

  test("past a note of losses that is torn, which are still recorded", async () => {
    await putBackup(fake.site.tiers, fake.signingKey, shop(idsOf(1)[0] ?? ""));
    await mkdir(trivault("tiers/local/losses"), { recursive: true });
    await writeFile(trivault("tiers/local/losses/0.json"), "{ torn");
    expect(await local()).toMatchObject({ reachable: true, lost: 1 });
    expect(fake.events).toMatchObject([{ action: "tier.vanished", outcome: "failed", tier: "local" }]);
    expect(await local()).toMatchObject({ lost: 0 });
  });
});

test("9.A1 without workers, a tier whose round fails keeps no other from its own", async () => {
  const [id = ""] = idsOf(1);
  await putBackup([fake.tier("local")], fake.signingKey, shop(id));
  await mkdir(trivault("tiers/local/losses"), { recursive: true });
  await writeFile(trivault("tiers/local/losses/0.json"), "{ torn");
  const record: typeof fake.site.record = async ({ tier }) => {
    if (tier === "local") throw new Error("the audit log is full");
  };
  await expect(catchUp({ ...fake.site, record }, fake.context)).rejects.toThrow("the audit log is full");
  expect(await listCopies(fake.tier("cloud"))).toMatchObject([{ backupId: id, complete: true }]);
});

test("9.A1 schedules go on past a run that cannot be read", async () => {
  const [bad = "", good = ""] = idsOf(2);
  const slot = new Date().toISOString();
  await putRun(bad, "{ torn");
  await putRun(good, { database: "shop", slot });
  await writeFile(runDirectory(fake.config, good).dumpLease, "x");
  expect(await listSlotRuns(fake.config)).toEqual([
    { backupId: good, database: "shop", slot: new Date(slot), dumped: false },
  ]);
});

test("9.A1 retention goes on past something in the list of readers that is no reader's", async () => {
  const stray = trivault("in-use/stray");
  await mkdir(path.join(stray, "deep"), { recursive: true });
  await utimes(stray, longAgo, longAgo);
  const [id = ""] = idsOf(1);
  await writeFile(trivault("in-use", `${id}.reader`), "");
  expect(await listInUse(fake.config)).toEqual(new Set([id]));
});
