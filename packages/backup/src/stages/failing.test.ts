import { readdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { RECOVERY_KEY, sha256Hex, TrivaultError } from "@trivault/core";
import type { Store } from "@trivault/storage";
import { readOnlyFolder, watchRejections } from "@trivault/testkit";
import { beginDump, createdBy, type FakeSite, fakeSite, sampleContent, SEGMENT } from "../../test/fake-dump.ts";
import { adoptFile } from "../adopt/adopt-file.ts";
import { identityOf } from "../adopt/whole-file.ts";
import { listCopies } from "../copies.ts";
import { runInline } from "../inline.ts";
import { abortedReason, endRun, listRuns, markAborted } from "../run-directory.ts";
import { inRun } from "./dump.ts";
import { encryptStage } from "./encrypt.ts";

let fake: FakeSite;
let rejections: ReturnType<typeof watchRejections>;
beforeEach(async () => {
  fake = await fakeSite();
  rejections = watchRejections();
});
afterEach(async () => {
  rejections[Symbol.dispose]();
  await fake[Symbol.asyncDispose]();
  expect(rejections.seen).toEqual([]);
});

const content = sampleContent(3 * SEGMENT + 1000);
const full = () => new TrivaultError("STORE_FULL", "local is full. Free space.");
const isEmpty = async (folder: string) => (await readdir(folder).catch(() => [])).length === 0;

const segmentsOn = (store: Store) => Array.fromAsync(store.list("shop/"));

/** Stores that take so many objects. */
const fullAfter =
  (puts: number) =>
  (store: Store): Store => {
    let done = 0;
    const count = () => {
      if (++done > puts) throw full();
    };
    return {
      ...store,
      put: async (...args) => {
        count();
        return store.put(...args);
      },
      ...createdBy(store, async (create) => {
        count();
        await create();
      }),
    };
  };

describe("9.B9 what fails behind a stage's back fails the stage, and nothing else", () => {
  test.each([0, 1])("a local tier that is full after %i segments, while the next part is awaited", async (puts) => {
    const dump = await beginDump(fake);
    for (let part = 0; part < puts + 2; part++) await dump.write(part, content.subarray(0, SEGMENT));
    // The dump goes on, and no other part comes: the failure does not wait for one.
    const sealing = encryptStage(fake.with(fullAfter(puts)), dump.ref, fake.context());
    await expect(sealing).rejects.toMatchObject({ code: "STORE_FULL" });
    // There is room again, and the job is tried again.
    await dump.finish(content);
    await encryptStage(fake.site, dump.ref, fake.context());
    const first = content.subarray(0, SEGMENT);
    expect((await fake.contentOf(fake.site.tiers[0], dump.ref)).subarray(0, SEGMENT)).toEqual(first);
    expect(await isEmpty(dump.run.spool)).toBe(true);
  });

  test("a dump that fails and takes its spool away while a part is being published", async () => {
    const dump = await beginDump(fake);
    const putting = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const slow = (store: Store): Store => ({
      ...store,
      ...createdBy(store, async (create) => {
        putting.resolve();
        await goOn.promise;
        await create();
      }),
    });
    await dump.write(0, content.subarray(0, SEGMENT));
    await dump.write(1, content.subarray(0, 10));
    const sealing = encryptStage(fake.with(slow), dump.ref, fake.context());
    await putting.promise;
    await endRun(dump.run, "pg_dump was terminated");
    goOn.resolve();
    await expect(sealing).rejects.toMatchObject({
      code: "ABANDONED",
      message: expect.stringContaining("pg_dump was terminated"),
    });
    expect(await listCopies(fake.site.tiers[0])).toEqual([]);
    await dump.lease.release();
  });

  test("an adoption whose encryption fails, with a disk that cannot even be tidied up", async () => {
    const file = path.join(fake.config.backupDir, "shop.sql");
    const script = Buffer.from(`--\n-- PostgreSQL database dump\n--\n${"x".repeat(3 * SEGMENT)}`);
    await writeFile(file, script);
    const broken = (store: Store): Store => ({
      ...fullAfter(0)(store),
      list: () => {
        throw new Error("the disk is gone");
      },
    });
    const adoptable = {
      file: "shop.sql",
      sha256: sha256Hex(script),
      database: "shop",
      time: new Date(),
      size: script.length,
      format: "custom",
      compression: null,
      databaseFrom: "archive",
      timeFrom: "archive",
      server: { version: "17.0", major: 17 },
      pgDump: "17.0",
      identity: await identityOf(file),
      adoptedAs: null,
    } as const;
    const adopting = adoptFile(fake.with(broken), adoptable, { keep: false }, fake.context());
    await expect(adopting).rejects.toMatchObject({ code: "STORE_FULL" });
    expect(await readdir(fake.config.backupDir)).toContain("shop.sql");
    expect(await isEmpty(fake.config.spoolDir)).toBe(true);
  });

  test("a run that fails leaves no plaintext, also where the disk does not even take the mark that fences it off", async () => {
    const ref = { database: "shop", backupId: "20260101t000000z-00000000" };
    const failing = inRun(fake.site, ref, fake.context(), async (run) => {
      await writeFile(path.join(run.spool, "part-000000"), "plaintext");
      await rm(run.path, { recursive: true });
      await writeFile(run.path, ""); // whatever is to be written below fails
      throw full();
    });
    await expect(failing).rejects.toMatchObject({ code: "STORE_FULL" });
    expect(await isEmpty(fake.config.spoolDir)).toBe(true);
    expect(await listRuns(fake.config)).toEqual([]);
  });

  test("a run whose folder cannot be made leaves none in the spool either", async () => {
    const ref = { database: "shop", backupId: "20260101t000000z-00000001" };
    await writeFile(path.join(fake.config.backupDir, ".trivault/runs"), "");
    await expect(inRun(fake.site, ref, fake.context(), () => setImmediate())).rejects.toThrow();
    expect(await isEmpty(fake.config.spoolDir)).toBe(true);
  });

  test("9.A8 what another site deleted before the manifest is written is not vouched for", async () => {
    const dump = await beginDump(fake);
    await dump.finish(content);
    const site = fake.with((store) => ({
      ...store,
      async put(key, ...rest) {
        // The recovery note is put after the segments and before the manifest.
        if (key === RECOVERY_KEY) for (const { key: each } of await segmentsOn(store)) await store.delete(each);
        return store.put(key, ...rest);
      },
    }));
    const sealing = encryptStage(site, dump.ref, fake.context());
    await expect(sealing).rejects.toMatchObject({ message: expect.stringContaining("Something else deletes there") });
    expect((await listCopies(fake.site.tiers[0])).filter(({ complete }) => complete)).toEqual([]);
  });

  test("9.B10 a BACKUP_DIR that became read-only: the run says which folder that is, and what to do", async () => {
    using _ = readOnlyFolder(fake.config.backupDir);
    const { signal, log } = fake.context();
    const { ends } = await runInline(fake.site, "shop", {
      signal,
      log,
      note: () => undefined,
      progress: () => undefined,
    });
    expect(ends.find(({ stage }) => stage.stage === "dump")).toMatchObject({
      ok: false,
      error: {
        code: "STORE_REFUSED",
        message: expect.stringMatching(/^BACKUP_DIR .*EROFS.*becomes read-only, which dmesg shows/),
      },
    });
    expect(await isEmpty(fake.config.spoolDir)).toBe(true);
  });

  test("the first reason for giving a run up stays", async () => {
    const dump = await beginDump(fake);
    await markAborted(dump.run, "first");
    await endRun(dump.run, "second");
    expect(await abortedReason(dump.run)).toBe("first");
    await dump.lease.release();
  });
});
