import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "@jest/globals";
import { requireTools } from "./tools.ts";

const fixture = (name: string): string => new URL(`../test/fixtures/${name}`, import.meta.url).pathname;

test("takes the programs of the folder it is given, and finds zstd", async () => {
  const tools = await requireTools(99, fixture("fails-late"));
  expect(tools).toMatchObject({ major: 99, pgDump: { path: `${fixture("fails-late")}/pg_dump`, version: "99.1" } });
  expect(tools.pgRestore.path).toBe(`${fixture("fails-late")}/pg_restore`);
  expect(tools.zstd.version).toMatch(/^\d+\.\d+\.\d+$/);
});

test("refuses a pg_dump older than the server, naming both and what to install", async () => {
  await expect(requireTools(17, fixture("old"))).rejects.toMatchObject({
    code: "TOOL_TOO_OLD",
    permanent: true,
    message: expect.stringMatching(/PostgreSQL 17, .*9\.6\.0 .*postgresql-client-17 .*postgresql@17/),
  });
});

test("refuses a folder without pg_dump", async () => {
  await expect(requireTools(17, "/nonexistent")).rejects.toMatchObject({
    code: "TOOL_MISSING",
    permanent: true,
    message: expect.stringContaining("in /nonexistent"),
  });
});

test("a program is not started again for what it said a moment ago, unless its file has changed", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "tools-"));
  try {
    const program = (version: string) =>
      writeFile(
        path.join(folder, "pg_dump"),
        `#!/bin/sh\necho asked >>${folder}/calls\necho "pg_dump (PostgreSQL) ${version}"\n`,
        { mode: 0o700 },
      );
    await program("18.1");
    for (let ask = 0; ask < 3; ask++) expect((await requireTools(17, folder)).pgDump.version).toBe("18.1");
    expect(await readFile(path.join(folder, "calls"), "utf8")).toBe("asked\n");
    await program("18.10");
    expect((await requireTools(17, folder)).pgDump.version).toBe("18.10");
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("without zstd says which package to install", async () => {
  const before = process.env.PATH;
  process.env.PATH = "/nonexistent";
  try {
    await expect(requireTools(17, fixture("fails-late"))).rejects.toMatchObject({
      code: "TOOL_MISSING",
      message: expect.stringContaining("apt-get install zstd"),
    });
  } finally {
    process.env.PATH = before;
  }
});
