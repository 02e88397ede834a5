import { appendFile, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { makeTempDir, type TempDir } from "@trivault/testkit";
import { openSamples, thinned } from "./samples.ts";

let dir: TempDir;
let folder: string;
beforeEach(async () => {
  dir = await makeTempDir("samples");
  folder = path.join(dir.path, ".trivault/monitor");
  await mkdir(path.join(dir.path, ".trivault"));
});
afterEach(async () => dir.remove());

const HOUR = 3_600_000;
const START = Date.parse("2026-11-23T00:00:00Z");
const sample = (hours: number, bytes = 1) => {
  const at = new Date(START + hours * HOUR).toISOString();
  return { at, bytes, copies: 1, free: 5, total: 9, latencySeconds: 0.1 };
};

test("one an hour is kept, whoever looks how often; its files are for this user alone", async () => {
  const observers = [1, 2, 3].map(() => openSamples({ backupDir: dir.path }, "cloud"));
  const kept: boolean[] = [];
  for (const hours of [0, 0, 0.5, 0.98, 1, 1.9, 2]) {
    kept.push((await Promise.all(observers.map((one) => one.keep(sample(hours))))).includes(true));
  }
  expect(kept).toEqual([true, false, false, false, true, false, true]);
  for (const one of observers)
    expect((await one.read()).map(({ at }) => at)).toEqual([0, 1, 2].map((hours) => sample(hours).at));
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  for (const name of await readdir(folder)) expect((await stat(path.join(folder, name))).mode & 0o777).toBe(0o600);
});

test("broken lines, and an end that a crash cut off, cost nothing but themselves", async () => {
  const samples = openSamples({ backupDir: dir.path }, "cloud");
  await samples.keep(sample(0));
  const file = path.join(folder, "cloud.jsonl");
  await appendFile(file, `hello\n{"at":"x"}\n${JSON.stringify(sample(1))}\n{"at":"2026-`);
  expect(await samples.read()).toEqual([sample(0), sample(1)]);
  await samples.keep(sample(2));
  expect(await samples.read()).toEqual([sample(0), sample(1), sample(2)]);
});

test("the file stays small: after two weeks one a day, after thirteen months none", async () => {
  const days = 500;
  await mkdir(folder);
  const file = path.join(folder, "cloud.jsonl");
  const all = Array.from({ length: 24 * days }, (_, hour) => sample(hour, hour));
  await writeFile(file, all.map((one) => `${JSON.stringify(one)}\n`).join(""));
  await openSamples({ backupDir: dir.path }, "cloud").keep(sample(24 * days, -0));
  const kept = (await readFile(file, "utf8")).trim().split("\n");
  expect(kept.length).toBeGreaterThan(14 * 24 + 370);
  expect(kept.length).toBeLessThan(14 * 24 + 390);
  const again = thinned(all, new Date(START + 24 * days * HOUR));
  expect(thinned(again, new Date(START + 24 * days * HOUR))).toEqual(again);
});

test("nothing is made where there is no site", async () => {
  const backupDir = path.join(dir.path, "nowhere");
  expect(await openSamples({ backupDir }, "cloud").keep(sample(0))).toBe(false);
  await expect(stat(backupDir)).rejects.toThrow("ENOENT");
});
