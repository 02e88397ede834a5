import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { probeTier } from "./probe.ts";
import { probeName } from "./probe-steps.ts";
import { listTemporary } from "./tree.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "tv-probe-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function probe(directory: string): Promise<Record<string, { ok: boolean | null; words: string }>> {
  const config = { name: "local", kind: "local", directory, budget: null, origin: "environment", prices: {} } as const;
  const steps = await Array.fromAsync(probeTier(config, { signal: AbortSignal.timeout(30_000) }));
  return Object.fromEntries(
    steps.map(({ step, ok, detail, advice }) => [step, { ok, words: `${detail} | ${advice}` }]),
  );
}

test("a folder that is right passes every step, and nothing is left in it", async () => {
  const steps = await probe(folder);
  expect(Object.keys(steps)).toEqual(["folder", "write", "read back", "rename", "delete", "free space"]);
  for (const { ok } of Object.values(steps)) expect(ok).toBe(true);
  expect(await readdir(folder)).toEqual([]);
});

test("a folder that can be made passes, and is not made", async () => {
  const steps = await probe(path.join(folder, "a/b"));
  expect(steps["folder"]).toMatchObject({ ok: true, words: expect.stringContaining("it can be made") });
  expect(steps["delete"]?.ok).toBe(true);
  expect(await readdir(folder)).toEqual([]);
});

test("a file in the way is reported, and what needs the folder is not tried", async () => {
  await writeFile(path.join(folder, "file"), "");
  const steps = await probe(path.join(folder, "file/backups"));
  expect(steps["folder"]).toMatchObject({
    ok: false,
    words: expect.stringMatching(/no folder stands in the way: move it/),
  });
  for (const step of ["write", "read back", "rename", "delete"]) expect(steps[step]?.ok).toBeNull();
});

const asRoot = process.getuid?.() === 0 ? test : test.skip;

asRoot.each<[string, string, string, RegExp]>([
  ["size=16k", "write", "full", /disk \(or the quota\) is full: free space/],
  ["ro,size=1m", "write", "read-only", /mounted read-only: mount it writable/],
])("a file system with %s fails at %s", async (options, failing, _name, expected) => {
  execFileSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", folder]);
  try {
    const steps = await probe(folder);
    const failed = Object.entries(steps).filter(([, { ok }]) => ok === false);
    expect(failed).toEqual([
      [
        expect.stringMatching(new RegExp(`^(?:folder|${failing})$`)),
        { ok: false, words: expect.stringMatching(expected) },
      ],
    ]);
    expect(await readdir(folder)).toEqual([]);
  } finally {
    execFileSync("umount", [folder]);
  }
});

test("what a killed test leaves has a name that sweeps take, and no listing shows", async () => {
  const name = probeName();
  const entry = { name, kind: "file", size: 1, modifiedAt: new Date(0) } as const;
  const found = await Array.fromAsync(listTemporary("", new Date(), async () => [entry]));
  expect(found).toEqual([name]);
});
