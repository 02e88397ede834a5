import { chmod, mkdir, readdir, symlink, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { sha256Hex } from "@trivault/core";
import { type FakeSite, fakeSite, idsOf } from "../../test/fake-site.ts";
import { maintainTier } from "./maintain-tier.ts";

let fake: FakeSite;
let memory: string;
let former: string;
beforeEach(async () => {
  fake = await fakeSite({
    change: (config) => ({ ...config, spoolMemory: path.join(config.backupDir, "../memory") }),
  });
  memory = fake.config.spoolMemory ?? "";
  former = path.join(memory, `trivault-${sha256Hex(Buffer.from(fake.config.backupDir)).slice(0, 12)}`);
  await mkdir(memory);
});
afterEach(async () => fake[Symbol.asyncDispose]());

async function putPlaintext(folder: string, id: string, hoursOld: number): Promise<void> {
  await mkdir(path.join(folder, id), { recursive: true, mode: 0o700 });
  await writeFile(path.join(folder, id, "part-000000"), "plaintext");
  const then = new Date(Date.now() - hoursOld * 3_600_000);
  await utimes(path.join(folder, id), then, then);
}

const round = () => maintainTier(fake.site, "local", fake.context);

describe("9.C18 plaintext that an earlier version left in shared memory", () => {
  test("goes, and the folder with it", async () => {
    const [old = ""] = idsOf(1);
    await putPlaintext(former, old, 30);
    expect(await round()).toMatchObject({ remainsRemoved: 1 });
    expect(await readdir(memory)).toEqual([]);
  });

  test("stays while it may be a run's; so does what is not ours, and is logged", async () => {
    const [young = ""] = idsOf(1);
    await putPlaintext(former, young, 1);
    await writeFile(path.join(former, "notes.txt"), "mine");
    await round();
    expect((await readdir(former)).toSorted()).toEqual([young, "notes.txt"].toSorted());
    expect(fake.notes).toContainEqual(expect.stringMatching(/the spool of an earlier version, is not empty yet/));
  });

  test.each(["a link to it", "a folder that is open to others"])(
    "is not looked for in %s, which is reported",
    async (what) => {
      const [old = ""] = idsOf(1);
      const victim = path.join(memory, "victim");
      await putPlaintext(what === "a link to it" ? victim : former, old, 30);
      if (what === "a link to it") await symlink(victim, former);
      else await chmod(former, 0o755);
      expect(await round()).toMatchObject({ remainsRemoved: 0 });
      expect(await readdir(former)).toEqual([old]);
      expect(fake.notes).toContainEqual(expect.stringMatching(/is not ours alone: nothing is done to it/));
    },
  );
});
