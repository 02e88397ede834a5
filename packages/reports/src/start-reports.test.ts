import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import type { AuditEvent, RecordedEvent } from "@trivault/audit";
import { silentLogger } from "@trivault/core";
import type { Mail } from "@trivault/notify";
import { makeTempDir, type TempDir, until } from "@trivault/testkit";
import { sample, sampleConfig } from "../test/sample.ts";
import { buildReport } from "./build-report.ts";
import { listReports, readReportState } from "./kept-reports.ts";
import { renderReport } from "./render.ts";
import { type ReportsDeps, startReports } from "./start-reports.ts";

const { input } = sample({ databases: 1, days: 2, troubles: false });
const FIRST: RecordedEvent = {
  seq: 1,
  at: new Date("2026-11-01"),
  host: "h",
  pid: 1,
  action: "config.loaded",
  outcome: "ok",
  actor: "a",
};

let dir: TempDir;
let now: Date;
let made: string[];
let mails: Mail[];
let events: AuditEvent[];
let refuse: boolean;
let running: { close(): Promise<void> }[];

beforeEach(async () => {
  dir = await makeTempDir("tv-reports");
  now = new Date("2026-11-24T08:00:00Z");
  [made, mails, events, refuse, running] = [[], [], [], false, []];
});
afterEach(async () => {
  for (const each of running) await each.close();
  await dir.remove();
});

function start(change: Partial<ReportsDeps> = {}): void {
  const config = { ...sampleConfig({ schedule: { cron: "0 7 * * *", timeZone: "UTC" } }), backupDir: dir.path };
  running.push(
    startReports({
      config,
      maker: {
        async make({ period }) {
          made.push(new Date(period.to).toISOString());
          await sleep(20);
          return renderReport(buildReport({ ...input, period }));
        },
      },
      audit: {
        async *query() {
          yield FIRST;
        },
      },
      record: async (event) => void events.push(event),
      mailer: {
        async send(mail) {
          if (refuse) throw new Error("smtp says no");
          mails.push(mail);
        },
      },
      now: () => now,
      log: silentLogger(),
      lookEveryMs: 5,
      ...change,
    }),
  );
}

const mailed = async () => (await readReportState({ backupDir: dir.path }, "2026-11-24"))?.mail ?? null;

test("many processes, started again and again, make one report and send one mail", async () => {
  for (let i = 0; i < 5; i++) start();
  await until(() => events.length > 0);
  for (let i = 0; i < 15; i++) {
    await running.shift()?.close();
    start();
  }
  await sleep(60);
  expect(made).toEqual(["2026-11-24T07:00:00.000Z"]);
  expect(mails).toHaveLength(1);
  expect(mails[0]).toMatchObject({
    to: ["ops@example.org"],
    subject: expect.stringContaining("Tuesday, 24 November 2026"),
  });
  expect(events).toEqual([
    { action: "report.sent", outcome: "ok", actor: "schedule", details: { day: "2026-11-24", to: 1, attempts: 1 } },
  ]);
});

test("days that were missed while nothing ran are made up for by the newest, once", async () => {
  start();
  await until(() => mails.length === 1);
  await running.pop()?.close();
  now = new Date("2026-11-28T03:00:00Z");
  start();
  await until(() => mails.length === 2);
  expect(made).toEqual(["2026-11-24T07:00:00.000Z", "2026-11-27T07:00:00.000Z"]);
  expect((await listReports({ backupDir: dir.path })).map(({ day }) => day)).toEqual(["2026-11-27", "2026-11-24"]);
});

test("a mail that cannot be sent is tried again later, is recorded once, and the report is kept", async () => {
  refuse = true;
  start();
  await until(async () => (await mailed())?.attempts === 1);
  expect(await mailed()).toMatchObject({
    sentAt: null,
    problem: "smtp says no",
    nextAt: new Date("2026-11-24T08:01:00Z"),
  });
  now = new Date("2026-11-24T08:01:00Z");
  await until(async () => (await mailed())?.attempts === 2);
  await running.pop()?.close();
  refuse = false;
  start();
  await sleep(30);
  expect(mails).toHaveLength(0);
  now = new Date("2026-11-24T08:06:00Z");
  await until(() => mails.length === 1);
  await until(async () => (await mailed())?.sentAt !== null);
  await until(() => events.length >= 2);
  expect(made).toHaveLength(1);
  expect(events.map(({ action }) => action)).toEqual(["report.failed", "report.sent"]);
});

test("without a mail server or an address the report is kept all the same", async () => {
  start({ mailer: null });
  await until(async () => (await listReports({ backupDir: dir.path })).length === 1);
  await sleep(30);
  expect([made.length, events.length]).toEqual([1, 0]);
});

test("a report that cannot be made is recorded once, and leaves nothing behind", async () => {
  start({ maker: { make: () => Promise.reject(new Error("no memory")) } });
  await until(() => events.length > 0);
  await sleep(30);
  expect(events).toMatchObject([{ action: "report.failed", outcome: "failed", error: { message: "no memory" } }]);
  expect(await listReports({ backupDir: dir.path })).toEqual([]);
});

test("a site that is younger than the slot reports nothing", async () => {
  start({ audit: { async *query() {} } });
  await sleep(40);
  expect(made).toEqual([]);
});

test("without a schedule none is made", async () => {
  start({ config: { ...sampleConfig({ schedule: null }), backupDir: dir.path } });
  await sleep(40);
  expect(made).toEqual([]);
});

test("old reports are removed", async () => {
  const config = {
    ...sampleConfig({ schedule: { cron: "0 7 * * *", timeZone: "UTC" }, keepDays: 2 }),
    backupDir: dir.path,
  };
  for (const day of ["20", "21", "22", "23", "24"]) {
    now = new Date(`2026-11-${day}T08:00:00Z`);
    start({ config });
    await until(async () => (await listReports(config)).some((report) => report.day === `2026-11-${day}`));
    await running.pop()?.close();
  }
  expect((await listReports(config)).map(({ day }) => day)).toEqual(["2026-11-24", "2026-11-23", "2026-11-22"]);
});
