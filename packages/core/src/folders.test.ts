import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "@jest/globals";
import { ensureFolder } from "./folders.ts";

test("makes what is missing, for this user alone, and leaves what is there", async () => {
  const root = await mkdtemp(path.join(tmpdir(), "folders-"));
  await ensureFolder(path.join(root, "a/b/c"));
  await ensureFolder(path.join(root, "a/b/c"));
  expect((await stat(path.join(root, "a/b"))).mode & 0o777).toBe(0o700);
  await writeFile(path.join(root, "file"), "");
  await expect(ensureFolder(path.join(root, "file"))).rejects.toThrow("EEXIST");
  await expect(ensureFolder(path.join(root, "file/x"))).rejects.toThrow("ENOTDIR");
  await rm(root, { recursive: true });
});

test("says no at once where the system never will", async () => {
  await expect(ensureFolder("/proc/nope/deeper")).rejects.toThrow(/^E/);
});

test("many make the same folders at once, and none fails", async () => {
  const root = await mkdtemp(path.join(tmpdir(), "folders-"));
  for (let round = 0; round < 300; round++) {
    const folder = path.join(root, `round-${round}`, "a/b");
    await Promise.all(Array.from({ length: 8 }, () => ensureFolder(folder)));
  }
  await rm(root, { recursive: true });
});
