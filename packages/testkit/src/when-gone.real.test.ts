import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "@jest/globals";
import { makeTempDir } from "./temp.ts";
import { until } from "./until.ts";

const TESTKIT = path.join(import.meta.dirname, "index.ts");

/** A process that starts servers and prints their ids, in a temporary folder of its own; it stays until it is ended. */
async function startOwner(folder: string, body: string) {
  await chmod(folder, 0o755); // PostgreSQL's account passes through it
  const script = `import * as kit from ${JSON.stringify(TESTKIT)}; setInterval(() => {}, 1e6); ${body}`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (printed += text));
  return {
    printed: () => printed,
    async end(signal: NodeJS.Signals) {
      const exited = once(child, "exit");
      child.kill(signal);
      expect(await exited).toEqual([null, signal]);
    },
  };
}

/** Also one that nobody has waited for. */
async function isGone(pid: number): Promise<boolean> {
  return (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")) === "";
}

test.each(["SIGINT", "SIGKILL"] as const)("after %s no server is left, and no folder", async (signal) => {
  await using folder = await makeTempDir("tv-gone");
  const owner = await startOwner(
    folder.path,
    `const all = [kit.startRedis(), kit.startPostgres(), kit.startSshd(), kit.startRedis()];
     const servers = await Promise.all(all);
     await servers.pop().stop();
     console.log(JSON.stringify(servers.map(({ pid }) => pid)));`,
  );
  const pids = JSON.parse(await until(() => /.*\n/.exec(owner.printed())?.[0] ?? "")) as number[];
  expect(await Promise.all(pids.map(isGone))).toEqual([false, false, false]);
  await owner.end(signal);
  await until(async () => (await Promise.all(pids.map(isGone))).every(Boolean));
  await until(async () => (await readdir(folder.path)).length === 0);
});

test("a Ceph that is only starting is ended as well", async () => {
  await using folder = await makeTempDir("tv-gone");
  const owner = await startOwner(folder.path, `await kit.startCeph();`);
  const monitor = await until(async () => {
    const [name = "none yet"] = await readdir(folder.path);
    return Number(await readFile(path.join(folder.path, name, "mon.pid"), "utf8"));
  });
  expect(await isGone(monitor)).toBe(false);
  await owner.end("SIGTERM");
  await until(() => isGone(monitor));
  await until(async () => (await readdir(folder.path)).length === 0);
});
