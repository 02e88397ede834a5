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
