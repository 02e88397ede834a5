import { appendFile, readdir, rm } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { backupKey, MANIFEST } from "@trivault/core";
import { bytesSource } from "@trivault/storage";
import { beginDump, dyingStores, type FakeSite, fakeSite, sampleContent, SEGMENT } from "../../test/fake-dump.ts";
import { listCopies } from "../copies.ts";
import { markAborted } from "../run-directory.ts";
import { settlePrevious } from "../settle.ts";
import { copyStage } from "./copy.ts";
import { encryptStage } from "./encrypt.ts";

let fake: FakeSite;
beforeEach(async () => {
  fake = await fakeSite();
});
afterEach(async () => fake[Symbol.asyncDispose]());

const content = sampleContent(2 * SEGMENT + 1000);
const toRemote = { from: "local", to: "remote" };

describe("encrypt", () => {
  test("seals while the dump goes on, starts a copy to each other tier, and leaves no plaintext", async () => {
    const dump = await beginDump(fake);
    const sealing = encryptStage(fake.site, dump.ref, fake.context());
    await dump.write(0, content.subarray(0, SEGMENT));
    await dump.write(1, content.subarray(SEGMENT, 2 * SEGMENT));
    const first = backupKey("shop", dump.ref.backupId, "data-000001.zst.age");
    while (!(await fake.site.tiers[0].store.stat(first))) await sleep(10);
    await dump.finish(content);
    const result = await sealing;
    expect(result.segments).toBe(4);
    expect(await fake.contentOf(fake.site.tiers[0], dump.ref)).toEqual(content);
    expect(fake.started).toEqual([
      { stage: "copy", ...dump.ref, from: "local", to: "remote" },
      { stage: "copy", ...dump.ref, from: "local", to: "cloud" },
    ]);
    await expect(readdir(dump.run.spool)).rejects.toThrow("ENOENT");
    await expect(readdir(dump.run.path)).rejects.toThrow("ENOENT");
  });

  test.each(["before", "after"] as const)(
    "killed %s any call that changes the tier, and run again, it converges",
    async (when) => {
      for (let n = 1; ; n++) {
        const dump = await beginDump(fake);
        await dump.finish(content);
        const dying = dyingStores(n, when);
        const first = await encryptStage(fake.with(dying.wrap), dump.ref, fake.context()).catch(
          (error: Error) => error,
        );
        if (!dying.died()) {
          expect(n).toBeGreaterThan(5); // all puts were reached
          break;
        }
        if (first instanceof Error) expect(first.message).toBe("killed");
        await encryptStage(fake.site, dump.ref, fake.context());
        expect(await fake.contentOf(fake.site.tiers[0], dump.ref)).toEqual(content);
      }
    },
  );

  test("a dump whose worker fell silent is fenced off; nothing of it stays, and its followers end", async () => {
    const dump = await beginDump(fake);
    await dump.write(0, content.subarray(0, SEGMENT));
    await dump.write(1, content.subarray(SEGMENT, 2 * SEGMENT));
    await dump.lease.release(); // as after kill -9: nobody beats any more
    await expect(encryptStage(fake.site, dump.ref, fake.context())).rejects.toMatchObject({
      code: "ABANDONED",
      permanent: true,
    });
    expect(await listCopies(fake.site.tiers[0])).toEqual([]);
    const copy = copyStage(fake.site, { ...dump.ref, ...toRemote }, fake.context());
    await expect(copy).rejects.toMatchObject({ code: "ABANDONED", permanent: true });
    expect(await listCopies(fake.site.tiers[1] ?? fake.site.tiers[0])).toEqual([]);
    expect(await settlePrevious(fake.site, dump.ref)).toBe("fenced");
  }, 20_000);

  test("a part of another size than the dump wrote never becomes a backup", async () => {
    const dump = await beginDump(fake);
    await dump.write(0, content.subarray(0, SEGMENT - 1));
    await dump.write(1, content.subarray(SEGMENT, SEGMENT + 10));
    await dump.complete(2, 10);
    await expect(encryptStage(fake.site, dump.ref, fake.context())).rejects.toMatchObject({ code: "ABANDONED" });
    expect((await listCopies(fake.site.tiers[0])).filter(({ complete }) => complete)).toEqual([]);
    await dump.lease.release();
  });

  test("plaintext that vanished from the spool is lost for good: no retry, no manifest", async () => {
    const dump = await beginDump(fake);
    await dump.finish(content);
    await rm(path.join(dump.run.spool, "details.zst"));
    const failure = { code: "CORRUPT", permanent: true, message: expect.stringContaining("details.zst is missing") };
    await expect(encryptStage(fake.site, dump.ref, fake.context())).rejects.toMatchObject(failure);
    expect(await listCopies(fake.site.tiers[0])).toEqual([]);
  });

  test("a run that was given up gets no manifest, even where everything is sealed", async () => {
    const dump = await beginDump(fake);
    await dump.finish(content);
    await markAborted(dump.run, "for this test");
    await expect(encryptStage(fake.site, dump.ref, fake.context())).rejects.toMatchObject({ code: "ABANDONED" });
    expect(await listCopies(fake.site.tiers[0])).toEqual([]);
  });
});

describe("copy", () => {
  const remote = () => fake.site.tiers[1] ?? fake.site.tiers[0];

  test("follows a backup in the making: segments arrive before the dump is through, the manifest last", async () => {
    const dump = await beginDump(fake);
    const sealing = encryptStage(fake.site, dump.ref, fake.context());
    const copying = copyStage(fake.site, { ...dump.ref, ...toRemote }, fake.context());
    await dump.write(0, content.subarray(0, SEGMENT));
    await dump.write(1, content.subarray(SEGMENT, 2 * SEGMENT));
    const first = backupKey("shop", dump.ref.backupId, "data-000001.zst.age");
    while (!(await remote().store.stat(first))) await sleep(10);
    expect((await listCopies(remote()))[0]).toMatchObject({ complete: false });
    await dump.finish(content);
    await sealing;
    expect(await copying).toMatchObject({ segments: 4, skipped: 0 });
    expect(await fake.contentOf(remote(), dump.ref)).toEqual(content);
    expect(await copyStage(fake.site, { ...dump.ref, ...toRemote }, fake.context())).toMatchObject({ segments: 0 });
  });

  test.each(["before", "after"] as const)(
    "killed %s any call that changes a tier, and run again, it converges",
    async (when) => {
      const dump = await beginDump(fake);
      await dump.finish(content);
      await encryptStage(fake.site, dump.ref, fake.context());
      for (let n = 1; ; n++) {
        for (const { key } of await Array.fromAsync(remote().store.list(""))) await remote().store.delete(key);
        const dying = dyingStores(n, when);
        await copyStage(fake.with(dying.wrap), { ...dump.ref, ...toRemote }, fake.context()).catch(
          (error: Error) => error,
        );
        if (!dying.died()) break;
        const [seen] = await listCopies(remote());
        if (seen?.complete) expect(await fake.contentOf(remote(), dump.ref)).toEqual(content);
        await copyStage(fake.site, { ...dump.ref, ...toRemote }, fake.context());
        expect(await fake.contentOf(remote(), dump.ref)).toEqual(content);
      }
    },
  );

  test("segments left by an attempt before are verified: right ones stay, wrong ones are made anew", async () => {
    const dump = await beginDump(fake);
    await dump.finish(content);
    await encryptStage(fake.site, dump.ref, fake.context());
    await copyStage(fake.site, { ...dump.ref, ...toRemote }, fake.context());
    await remote().store.delete(backupKey("shop", dump.ref.backupId, MANIFEST));
    const spoilt = backupKey("shop", dump.ref.backupId, "data-000002.zst.age");
    await remote().store.delete(spoilt);
    await remote().store.put(spoilt, bytesSource(Buffer.from("not it")));
    expect(await copyStage(fake.site, { ...dump.ref, ...toRemote }, fake.context())).toMatchObject({ skipped: 3 });
    expect(await fake.contentOf(remote(), dump.ref)).toEqual(content);
  });

  test("bytes that rotted on the local tier never arrive: the copy fails and stays without a manifest", async () => {
    const dump = await beginDump(fake);
    await dump.finish(content);
    await encryptStage(fake.site, dump.ref, fake.context());
    await appendFile(path.join(fake.config.backupDir, "shop", dump.ref.backupId, "data-000002.zst.age"), "x");
    await expect(copyStage(fake.site, { ...dump.ref, ...toRemote }, fake.context())).rejects.toMatchObject({
      code: "CORRUPT",
    });
    expect((await listCopies(remote())).filter(({ complete }) => complete)).toEqual([]);
  });
});
