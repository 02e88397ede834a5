import { execFileSync } from "node:child_process";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { takeFileLock } from "@trivault/core";
import { makeTempDir, type TempDir, until } from "@trivault/testkit";
import { endAll, recorded, type RecordingProcess, startRecording } from "../test/recorders.ts";
import { type AuditLog, openAuditLog } from "./audit-log.ts";
import type { AuditEvent } from "./event.ts";

let dir: TempDir;
let folder: string;
let log: AuditLog;
beforeEach(async () => {
  dir = await makeTempDir("audit");
  folder = path.join(dir.path, "audit");
  log = openAuditLog(folder);
});
afterEach(async () => {
  await endAll();
  await dir.remove();
});

const EVENT: AuditEvent = { action: "tier.swept", outcome: "ok", actor: "maintenance" };

test("50 logs of 10 processes record at once: each event stands in the chain once", async () => {
  const processes = Array.from({ length: 10 }, (_, i) => startRecording(Array(5).fill(folder), `p${i}`, 5));
  await Promise.all(processes.map(({ ready }) => ready));
  for (const { go } of processes) go();
  await Promise.all(processes.map(({ ended }) => ended));
  // Each brings some of what was put aside: on a slow machine that may be much.
  let own = 0;
  do {
    await log.record(EVENT);
    own++;
  } while ((await log.verify()).waiting > 0);
  const names = processes.flatMap((_, i) => Array.from({ length: 5 }, (__, j) => `p${i}.${j}`));
  const expected = names.flatMap((name) => Array.from({ length: 5 }, (_, n) => `${name} ${n + 1}`));
  expect((await recorded(log)).toSorted()).toEqual(expected.toSorted());
  expect(await log.verify()).toMatchObject({ ok: true, events: 250 + own, waiting: 0 });
}, 300_000);

test("what had to be put aside is in the chain soon after, though nothing else is recorded", async () => {
  expect(await log.append(EVENT)).toBe("chained");
  const lock = await takeFileLock(path.join(folder, "lock.db"), 1000);
  expect(await log.append(EVENT)).toBe("spilled");
  expect(await log.verify()).toMatchObject({ events: 1, waiting: 1 });
  lock?.release();
  await until(async () => (await log.verify()).waiting === 0);
  expect(await log.verify()).toMatchObject({ ok: true, events: 2, waiting: 0 });
  await log.close();
});

test("killed in mid-write, again and again: what was acknowledged is there, once, and the chain holds", async () => {
  // A kill ends three logs, each somewhere else in its write.
  const folders = ["a", "b", "c"].map((name) => path.join(dir.path, name));
  const acknowledged: { event: string; where: string }[][] = folders.map(() => []);
  for (let round = 0; round < 2; round += 1) {
    const names = Array.from({ length: 4 }, (_, i) => `r${round}p${i}`);
    const processes = names.map((name) => startRecording(folders, name, 1_000_000));
    for (const { go } of processes) go();
    const begun = (process: RecordingProcess, recorder: string) =>
      [...process.acknowledged.keys()].filter((event) => event.startsWith(`${recorder} `)).length >= 2;
    await until(() => processes.every((each, i) => folders.every((_, index) => begun(each, `${names[i]}.${index}`))), {
      seconds: 240,
    });
    for (const { child, ended } of processes) {
      await sleep(Math.random() * 30);
      child.kill("SIGKILL");
      await ended;
    }
    for (const each of processes) {
      for (const [event, where] of each.acknowledged) {
        acknowledged[Number(/\.(\d+) /.exec(event)?.[1])]?.push({ event, where });
      }
    }
    for (const each of folders) expect(await openAuditLog(each).verify()).toMatchObject({ problems: [] });
  }
  for (const [index, each] of folders.entries()) {
    const own = openAuditLog(each);
    // Where the disk is slow it comes back before what was put aside is in the chain.
    await own.record(EVENT);
    await until(async () => (await own.verify()).waiting === 0);
    const found = await recorded(own);
    const set = new Set(found);
    expect(acknowledged[index]?.length).toBeGreaterThanOrEqual(16);
    // One after the other would show only the first of what belongs together.
    expect({
      missing: acknowledged[index]?.filter(({ event }) => !set.has(event)),
      twice: found.length - set.size,
      verdict: await own.verify(),
      aside: await readdir(path.join(each, "spill")).catch(() => []),
    }).toMatchObject({ missing: [], twice: 0, verdict: { ok: true, waiting: 0, problems: [] }, aside: [] });
    await own.close();
  }
}, 300_000);

test("a process that was stopped with the lock in its hands keeps nobody waiting, and nothing is lost", async () => {
  const stopped = startRecording([folder], "stopped", 1_000_000);
  stopped.go();
  await until(() => stopped.acknowledged.size >= 2);
  // Stopped at random until it holds the lock.
  for (;;) {
    await sleep(Math.random() * 20);
    stopped.child.kill("SIGSTOP");
    await sleep(5);
    const lock = await takeFileLock(path.join(folder, "lock.db"), 0);
    lock?.release();
    if (lock === null) break;
    stopped.child.kill("SIGCONT");
  }
  const times: number[] = [];
  const where: string[] = [];
  for (let i = 0; i < 3; i += 1) {
    const begun = performance.now();
    where.push(await log.append(EVENT));
    times.push(performance.now() - begun);
  }
  expect(where).toEqual(["spilled", "spilled", "spilled"]);
  expect(Math.max(...times)).toBeLessThan(3000);
  expect(times[2]).toBeLessThan(1000); // not each waits for the whole time
  stopped.child.kill("SIGKILL");
  stopped.child.kill("SIGCONT");
  await stopped.ended;
  expect(await log.append(EVENT)).toBe("chained");
  const found = await Array.fromAsync(log.query({ action: "tier.swept" }));
  expect(found).toHaveLength(4);
  expect(await log.verify()).toMatchObject({ ok: true, waiting: 0 });
});

// Only root may mount.
const asRoot = process.platform === "linux" && process.getuid?.() === 0 ? test : test.skip;

asRoot("a full disk: what was acknowledged is kept, the rest waits in memory until there is room", async () => {
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", dir.path]);
  try {
    await log.record(EVENT);
    const where: string[] = [];
    for (let bytes = 1; bytes <= 400 && where.at(-1) !== "pending"; bytes += 1) {
      // Too large for the lock's file and folders to matter, and to fit: the disk is full in mid-line.
      const details = { text: "x".repeat(3500) };
      where.push(await log.append({ ...EVENT, action: "backup.copy", database: "full", bytes, details }));
    }
    expect(where.at(-1)).toBe("pending");
    expect(where).toContain("chained");
    expect(await log.verify()).toMatchObject({ ok: true });
    execFileSync("mount", ["-o", "remount,size=8m", dir.path]);
    expect(await log.append(EVENT)).toBe("chained");
    const found = await recorded(log);
    expect(found.toSorted()).toEqual(where.map((_, i) => `full ${i + 1}`).toSorted());
    expect(await log.verify()).toMatchObject({ ok: true, waiting: 0 });
  } finally {
    execFileSync("umount", [dir.path]);
  }
});

asRoot("a disk that may not be written: record comes back at once, and close too", async () => {
  execFileSync("mount", ["-t", "tmpfs", "-o", "ro,size=1m", "tmpfs", dir.path]);
  try {
    const begun = performance.now();
    expect(await log.append(EVENT)).toBe("pending");
    await log.close();
    expect(performance.now() - begun).toBeLessThan(1000);
    expect(await log.verify()).toMatchObject({ ok: true, events: 0 });
  } finally {
    execFileSync("umount", [dir.path]);
  }
});
