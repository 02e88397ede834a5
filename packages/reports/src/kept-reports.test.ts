import { readdir, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "@jest/globals";
import { makeTempDir } from "@trivault/testkit";
import { sample } from "../test/sample.ts";
import { buildReport } from "./build-report.ts";
import {
  keepReport,
  listReports,
  readKeptReport,
  readReportState,
  removeReportsBefore,
  reportsFolder,
} from "./kept-reports.ts";

const report = buildReport(sample({ databases: 1, days: 1, troubles: false }).input);

test("reports are kept for their owner alone, listed newest first, and old ones removed", async () => {
  await using dir = await makeTempDir();
  const place = { backupDir: dir.path };
  expect(await listReports(place)).toEqual([]);
  for (const day of ["2026-11-22", "2026-11-24", "2026-11-23"]) await keepReport(place, day, report, `<p>${day}`);
  const folder = reportsFolder(place);
  const modes = await Promise.all(
    (await readdir(folder)).map(async (name) => (await stat(path.join(folder, name))).mode & 0o777),
  );
  expect(new Set(modes)).toEqual(new Set([0o600]));
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  expect((await listReports(place)).map(({ day, well }) => [day, well])).toEqual([
    ["2026-11-24", true],
    ["2026-11-23", true],
    ["2026-11-22", true],
  ]);
  expect(await readKeptReport(place, "2026-11-23", "html")).toBe("<p>2026-11-23");
  expect(JSON.parse((await readKeptReport(place, "2026-11-23", "json")) ?? "")).toEqual(report);

  expect(await removeReportsBefore(place, "2026-11-24")).toBe(2);
  expect((await readdir(folder)).toSorted()).toEqual(["2026-11-24.html", "2026-11-24.json", "2026-11-24.state.json"]);
});

test("only days name a report; one without its state is none, and others are listed all the same", async () => {
  await using dir = await makeTempDir();
  const place = { backupDir: dir.path };
  await keepReport(place, "2026-11-24", report, "<p>");
  const folder = reportsFolder(place);
  await writeFile(path.join(folder, "2026-11-20.html"), "half");
  await writeFile(path.join(folder, "2026-11-21.state.json"), "{");
  await writeFile(path.join(dir.path, "secret.json"), "{}");
  expect((await listReports(place)).map(({ day }) => day)).toEqual(["2026-11-24"]);
  expect(await readReportState(place, "2026-11-20")).toBeNull();
  for (const day of ["../../secret", "2026-11-24/../x", "2026-13-01", "", "2026-11-24.state"]) {
    expect(await readKeptReport(place, day, "json")).toBeNull();
  }
});
