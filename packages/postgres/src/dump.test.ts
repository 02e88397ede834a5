import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, readdirSync, statSync } from "node:fs";
import { readFile, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { zstdDecompress } from "node:zlib";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { findReaper, type TrivaultError, silentLogger } from "@trivault/core";
import { type TempDir, expectNoLeaks, makeTempDir, until } from "@trivault/testkit";

import { parseDatabaseUrl } from "./connection-url.ts";
import { type DumpProcess, startDump } from "./dump.ts";
import { requireTools } from "./tools.ts";

const fixture = (name: string): string => new URL(`../test/fixtures/${name}`, import.meta.url).pathname;
const PASSWORD = "s3cret:w\\rd";
const SEGMENT = 256 * 1024;
let dir: TempDir;

afterAll(expectNoLeaks());

beforeEach(async () => {
  dir = await makeTempDir();
});
afterEach(async () => {
  await dir.remove();
  expect(passFolders(process.pid)).toEqual([]);
});

async function dumpWith(program: string, signal?: AbortSignal, directory = dir.path): Promise<DumpProcess> {
  return startDump({
    connection: parseDatabaseUrl(`postgresql://ann:${encodeURIComponent(PASSWORD)}@127.0.0.1:1/shop`),
    tools: await requireTools(99, fixture(program)),
    snapshotId: "00000003-0000001B-1",
    directory,
    segmentSize: SEGMENT,
    signal,
    log: silentLogger(),
  });
}

describe("a dump that goes well", () => {
  test("gives password and server to pg_dump by file and environment only, and nothing inherited", async () => {
    process.env.PGHOST = "evil.example";
    process.env.AWS_SECRET_ACCESS_KEY = "not-for-pg-dump";
    try {
      await (
        await dumpWith("shows")
      ).done;
    } finally {
      delete process.env.PGHOST;
      delete process.env.AWS_SECRET_ACCESS_KEY;
    }
    const [part = ""] = await readdir(dir.path);
    expect(part).toBe("part-000000");
    expect(statSync(path.join(dir.path, part)).mode & 0o777).toBe(0o600);
    const seen = (await promisify(zstdDecompress)(await readFile(path.join(dir.path, part)))).toString();
    expect(seen).toContain("--snapshot=00000003-0000001B-1\n");
    expect(seen).toContain("--dbname=dbname='shop' ");
    expect(seen).toContain("PGHOST=127.0.0.1\n");
    expect(seen).not.toContain("not-for-pg-dump");
    expect(seen).toMatch(/^-rw-------/m);
    // Once, in the password file, escaped as libpq wants it.
    expect(seen.split("s3cret")).toHaveLength(2);
    expect(seen).toContain("*:*:*:*:s3cret\\:w\\\\rd\n");
  });
});

describe("a dump that fails", () => {
  test.each([
    ["fails-late", /pg_dump failed with exit status 1\..*server closed the connection/s, false],
    ["killed", /pg_dump was ended by signal SIGKILL \(9\)/, false],
    ["floods", /permission denied for table orders — Grant/, true],
  ])("%s", async (program, message, permanent) => {
    const error = await failureOf(await dumpWith(program));
    expect(error).toMatchObject({ code: "DUMP_FAILED", permanent });
    expect(error.message).toMatch(message);
    expect(error.message.length).toBeLessThan(3000);
    expect(error.message).not.toMatch(/secret-word|s3cret/);
  });

  test("names the program that failed, not those whose pipe broke by it", async () => {
    const error = await failureOf(await dumpWith("endless", undefined, path.join(dir.path, "absent")));
    expect(error.message).toMatch(/: split failed with exit status 1\..*No such file/s);
  });

  test("is reported even while the dump is paused", async () => {
    const dump = await dumpWith("fails-late");
    dump.pause();
    await expect(dump.done).rejects.toMatchObject({ code: "DUMP_FAILED" });
    expect(await gone(dump.pids)).toBe(true);
  });

  test("does not start with a signal that has been aborted", async () => {
    await expect(dumpWith("endless", AbortSignal.abort())).rejects.toMatchObject({ code: "CANCELLED" });
  });
});

describe("a dump that runs", () => {
  test("pause stops the spool at once, resume goes on", async () => {
    const dump = await dumpWith("endless");
    await until(() => size() > 2 * SEGMENT);
    dump.pause();
    await sleep(20);
    const paused = size();
    await sleep(300);
    expect(size()).toBe(paused);
    dump.resume();
    await until(() => size() > paused + 2 * SEGMENT);
    await dump.kill();
    await expect(dump.done).rejects.toMatchObject({ code: "CANCELLED" });
  });

  test.each(["running", "paused"])("kill ends every program (%s)", async (state) => {
    const dump = await dumpWith("endless");
    if (state === "paused") dump.pause();
    await dump.kill();
    expect(await gone(dump.pids)).toBe(true);
  });

  test("an abort ends a dump that hangs", async () => {
    const controller = new AbortController();
    const dump = await dumpWith("hangs", controller.signal);
    controller.abort(new Error("enough"));
    await expect(dump.done).rejects.toMatchObject({ code: "CANCELLED" });
    expect(await gone(dump.pids)).toBe(true);
  });
});

const bound = (await findReaper()).length > 0;
(bound ? describe : describe.skip)("a worker that is killed (SIGKILL)", () => {
  test.each(["running", "paused"])("leaves no program (%s), and the next removes its password file", async (state) => {
    const script = new URL("../test/start-dump.ts", import.meta.url).pathname;
    const args = [script, fixture("endless"), dir.path, state];
    const env = { ...process.env, PATH: `${fixture("slow-setpriv")}:${process.env.PATH}` };
    const worker = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "inherit"] });
    const [line] = (await worker.stdout.take(1).toArray()) as Buffer[];
    const pids = String(line).trim().split(" ").map(Number);
    expect(pids).toHaveLength(3);
    expect(pids.every(alive)).toBe(true);
    expect(passFolders(worker.pid)).toHaveLength(1);
    const ended = once(worker, "exit");
    worker.kill("SIGKILL");
    await ended; // until it is reaped, its process id is one that is alive
    expect(await gone(pids)).toBe(true);
    const next = await dumpWith("shows");
    await next.done;
    expect(passFolders(worker.pid)).toEqual([]);
  });
});

async function failureOf(dump: DumpProcess): Promise<TrivaultError> {
  const error: unknown = await dump.done.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).not.toBeNull();
  return error as TrivaultError;
}

function size(): number {
  return readdirSync(dir.path).reduce((sum, name) => sum + statSync(path.join(dir.path, name)).size, 0);
}

function passFolders(pid: number | undefined): string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith(`trivault-pgpass-${pid}-`));
}

/** A zombie, which only its parent can remove, counts as gone. */
function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

async function gone(pids: readonly number[]): Promise<boolean> {
  return until(() => !pids.some(alive));
}
