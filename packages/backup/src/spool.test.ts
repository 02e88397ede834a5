import { chmod, lstat, mkdir, readlink, stat, symlink } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { newBackupId } from "@trivault/core";
import { makeTempDir, ofAnotherUser, type TempDir } from "@trivault/testkit";
import { createRun, runDirectory } from "./run-directory.ts";
import { ensureSpool } from "./spool.ts";

let dir: TempDir;
beforeEach(async () => {
  dir = await makeTempDir("spool");
});
afterEach(() => dir.remove());
const at = (name: string) => path.join(dir.path, name);
const named = () => ({ backupDir: at("backups"), spoolDir: at("spool"), spoolMemory: null });
const byDefault = () => ({
  backupDir: at("backups"),
  spoolDir: at("backups/.trivault/spool"),
  spoolMemory: at("memory"),
});

describe("9.C18 the spool, where plaintext lies", () => {
  it("is refused where another user made it first, by the setting's name", async () => {
    await mkdir(at("spool"), { mode: 0o700 });
    await using _ = await ofAnotherUser(at("spool"));
    await expect(ensureSpool(named())).rejects.toMatchObject({
      code: "STORE_REFUSED",
      permanent: true,
      message: expect.stringMatching(/BACKUP_SPOOL_DIR.*belongs to user/),
    });
  });

  it("has by default a name that a local user cannot take first, and every process finds it by the site's folder", async () => {
    await mkdir(at("memory"));
    await chmod(at("memory"), 0o1777);
    await ensureSpool(byDefault());
    const folder = await readlink(at("backups/.trivault/spool"));
    expect(path.dirname(folder)).toBe(at("memory"));
    const run = runDirectory(byDefault(), newBackupId());
    await createRun(run, "shop");
    expect((await lstat(path.join(folder, run.backupId))).mode & 0o777).toBe(0o700);
  });

  it("takes no part of a backup through a link that was laid out beforehand", async () => {
    const run = runDirectory(named(), newBackupId());
    await mkdir(at("spool"), { mode: 0o700 });
    await mkdir(at("thief"));
    await symlink(at("thief"), run.spool);
    await expect(createRun(run, "shop")).rejects.toMatchObject({ message: expect.stringContaining("symbolic link") });
    expect((await stat(at("thief"))).isDirectory()).toBe(true);
  });
});
