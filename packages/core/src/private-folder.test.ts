import { chmod, lstat, mkdir, mkdtemp, readdir, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { ensureLinkedFolder, ensurePrivateFolder } from "./private-folder.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), "private-"));
});
afterEach(() => rm(root, { recursive: true }));
const at = (name: string) => path.join(root, name);
const refused = (message: RegExp) => ({
  code: "STORE_REFUSED",
  permanent: true,
  message: expect.stringMatching(message),
});

describe("9.C18 a folder that shall be private", () => {
  it("is made, and found again", async () => {
    await ensurePrivateFolder(at("a/b"), "The spool (BACKUP_SPOOL_DIR)");
    await ensurePrivateFolder(at("a/b"), "The spool (BACKUP_SPOOL_DIR)");
    expect((await lstat(at("a/b"))).mode & 0o777).toBe(0o700);
  });

  it("is refused where somebody else made it first, by the name of the setting and of its owner", async () => {
    await ensurePrivateFolder(at("a"), "The spool");
    const { uid } = await lstat(at("a"));
    await expect(ensurePrivateFolder(at("a"), "The spool (BACKUP_SPOOL_DIR)", uid + 1)).rejects.toMatchObject(
      refused(new RegExp(`^The spool \\(BACKUP_SPOOL_DIR\\) .*belongs to user ${uid}, and not to ours`)),
    );
  });

  it.each([0o777, 0o770, 0o755, 0o710])("is refused where it is open to others (%o)", async (mode) => {
    await mkdir(at("a"));
    await chmod(at("a"), mode);
    await expect(ensurePrivateFolder(at("a"), "The spool")).rejects.toMatchObject(refused(/is open to other users/));
  });

  it("is refused where a link stands in its place, even one to a private folder of ours", async () => {
    await mkdir(at("real"), { mode: 0o700 });
    await symlink(at("real"), at("link"));
    await expect(ensurePrivateFolder(at("link"), "The spool")).rejects.toMatchObject(refused(/is a symbolic link/));
  });
});

describe("9.C18 a folder among everybody's", () => {
  const ensure = () => ensureLinkedFolder(at("ours/spool"), at("everybodys"), "trivault-abc-", "The spool");
  const target = () => readlink(at("ours/spool"));
  beforeEach(() => mkdir(at("everybodys")));

  it("has a name that nobody can foresee, and stays where it is", async () => {
    await ensure();
    const first = await target();
    expect(path.basename(first)).toMatch(/^trivault-abc-.{6}$/);
    expect((await lstat(first)).mode & 0o777).toBe(0o700);
    await writeFile(at("ours/spool/part-000000"), "plaintext");
    await ensure();
    expect(await readdir(await target())).toEqual(["part-000000"]);
  });

  it("is one for all who make it at once", async () => {
    await Promise.all(Array.from({ length: 10 }, ensure));
    expect(await readdir(at("everybodys"))).toEqual([path.basename(await target())]);
  });

  it("is made again under its name after the memory was emptied", async () => {
    await ensure();
    const first = await target();
    await rm(first, { recursive: true });
    await ensure();
    expect(await target()).toBe(first);
    expect((await lstat(first)).mode & 0o777).toBe(0o700);
  });

  it.each(["folder", "file", "link"])("gets another name where somebody has taken it by then (%s)", async (kind) => {
    await ensure();
    const first = await target();
    await rm(first, { recursive: true });
    if (kind === "file") await writeFile(first, "");
    else if (kind === "link") await symlink(at("everybodys"), first);
    else {
      await mkdir(first);
      await chmod(first, 0o777);
    }
    await ensure();
    expect(await target()).not.toBe(first);
    expect((await lstat(await target())).mode & 0o777).toBe(0o700);
  });

  it("is not shared with a copy of the folder that the link lies in", async () => {
    await ensure();
    const first = await target();
    await ensureLinkedFolder(at("ours/spool"), at("everybodys"), "trivault-def-", "The spool");
    expect(await target()).not.toBe(first);
  });

  it("is not made where the folder of the link is open to others", async () => {
    await mkdir(at("ours"));
    await chmod(at("ours"), 0o777);
    await expect(ensure()).rejects.toMatchObject(refused(/open to other users/));
  });
});
