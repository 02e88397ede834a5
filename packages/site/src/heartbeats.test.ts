import { readdir, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { makeTempDir, type TempDir } from "@trivault/testkit";
import { readHeartbeats, startHeartbeat } from "./heartbeats.ts";

let dir: TempDir;
let folder: string;
beforeEach(async () => {
  dir = await makeTempDir("heartbeats");
  folder = path.join(dir.path, ".trivault/heartbeats");
});
afterEach(() => dir.remove());

const read = () => readHeartbeats({ backupDir: dir.path }, new Date());

async function beats(count: number) {
  for (;;) {
    const found = await read();
    if (found.length >= count) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test("each service of a process beats by itself, and leaves nothing when it is closed", async () => {
  expect(await read()).toEqual([]);
  const lookedAt = new Date("2026-11-23T02:00:00Z");
  const worker = startHeartbeat(
    { backupDir: dir.path },
    { service: "worker", queues: ["dump"], schedulesLookedAt: () => lookedAt, redisDrift: () => -1.5 },
  );
  const api = startHeartbeat({ backupDir: dir.path }, { service: "api" });
  expect(await beats(2)).toMatchObject([
    { service: "api", pid: process.pid, queues: [], schedulesLookedAt: null, redisDriftSeconds: null },
    { service: "worker", pid: process.pid, queues: ["dump"], schedulesLookedAt: lookedAt, redisDriftSeconds: -1.5 },
  ]);
  await Promise.all([worker.close(), api.close()]);
  expect(await readdir(folder)).toEqual([]);
});

test("one that was killed is listed for a day; what is no heartbeat is passed over", async () => {
  await startHeartbeat({ backupDir: dir.path }, { service: "api" }).close();
  const beat = startHeartbeat({ backupDir: dir.path }, { service: "worker" });
  const [alive] = await beats(1);
  const dead = { ...alive, pid: 1, seenAt: undefined };
  for (const name of ["h.1.0.json", "h.2.0.json"]) await writeFile(path.join(folder, name), JSON.stringify(dead));
  await writeFile(path.join(folder, "h.3.0.json"), "{");
  await writeFile(path.join(folder, "h.3.0.json.tmp"), JSON.stringify(dead));
  const ago = (hours: number) => new Date(Date.now() - hours * 3_600_000);
  await utimes(path.join(folder, "h.1.0.json"), ago(23), ago(23));
  await utimes(path.join(folder, "h.2.0.json"), ago(25), ago(25));
  expect(await read()).toMatchObject([{ pid: 1 }, { pid: process.pid }]);
  expect(await readdir(folder)).not.toContain("h.2.0.json");
  await beat.close();
});
