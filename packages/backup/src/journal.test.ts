import { appendFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { Segment } from "@trivault/core";
import { appendJournal, journalReader } from "./journal.ts";

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "journal-"));
  file = path.join(folder, "journal.ndjson");
});
afterEach(() => rm(folder, { recursive: true }));

const segment = (number: number, fill = "a"): Segment => ({
  name: `data-${String(number).padStart(6, "0")}.zst.age`,
  size: 10,
  sha256: fill.repeat(64),
  plainSize: 9,
  plainSha256: "b".repeat(64),
});

describe("journal", () => {
  test("is empty before it is begun, and yields each segment once as it grows", async () => {
    const reader = journalReader(file);
    expect(await reader.read()).toBeNull();
    await appendJournal(file, segment(1));
    await appendJournal(file, segment(2));
    expect(await reader.read()).toEqual([segment(1), segment(2)]);
    expect(await reader.read()).toEqual([]);
    await appendJournal(file, segment(3));
    expect(await reader.read()).toEqual([segment(3)]);
  });

  test("a line that a crash tore does not count, and does not spoil the next one", async () => {
    const reader = journalReader(file);
    await appendFile(file, `\n${JSON.stringify(segment(1)).slice(0, 50)}`);
    expect(await reader.read()).toEqual([]);
    await appendJournal(file, segment(1, "c"));
    expect(await reader.read()).toEqual([segment(1, "c")]);
    expect(await journalReader(file).read()).toEqual([segment(1, "c")]);
  });

  test("a line read while it is half written appears once it is whole", async () => {
    const line = `\n${JSON.stringify(segment(1))}\n`;
    const reader = journalReader(file);
    await appendFile(file, line.slice(0, 30));
    expect(await reader.read()).toEqual([]);
    await appendFile(file, line.slice(30));
    expect(await reader.read()).toEqual([segment(1)]);
  });

  test("the first line of a name counts: a late one is of a worker that had lost its lease", async () => {
    await appendJournal(file, segment(1, "c"));
    await appendJournal(file, segment(1, "d"));
    expect(await journalReader(file).read()).toEqual([segment(1, "c")]);
  });
});
