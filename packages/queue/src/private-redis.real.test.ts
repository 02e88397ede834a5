import { readdirSync, statSync } from "node:fs";
import { chmod, rm } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { ensureFolder, silentLogger, takeFileLock } from "@trivault/core";
import { makeTempDir, type TempDir, until } from "@trivault/testkit";
import { type PrivateRedis, privateRedisUrl, startPrivateRedis } from "./private-redis.ts";
import { startRedisServer } from "./redis-server.ts";
import { checkRedis, connectRedis, socketOf } from "./redis.ts";

let dir: TempDir;
let url: string;
const running: PrivateRedis[] = [];
beforeEach(async () => {
  dir = await makeTempDir("tv with space");
  url = await privateRedisUrl(dir.path);
});
afterEach(async () => {
  for (const each of running.splice(0).toReversed()) await each.stop();
  await dir.remove();
});

async function start(): Promise<PrivateRedis> {
  const redis = await startPrivateRedis(dir.path, silentLogger());
  running.push(redis);
  return redis;
}

async function ask<T>(question: (redis: ReturnType<typeof connectRedis>) => Promise<T>): Promise<T> {
  const redis = connectRedis(url, "fail-fast");
  try {
    return await question(redis);
  } finally {
    redis.disconnect();
  }
}

/** Null where none answers. */
const pid = () =>
  ask(async (redis) => Number(/^process_id:(\d+)/m.exec(await redis.info("server"))?.[1])).catch(() => null);

test("it is private, durable, never throws jobs away, and gone afterwards", async () => {
  const first = await start();
  expect(first.url).toBe(url);
  expect(statSync(socketOf(url)).mode & 0o777).toBe(0o700);
  await ask((redis) => checkRedis(redis, url));
  expect(await ask((redis) => redis.config("GET", "appendonly"))).toEqual(["appendonly", "yes"]);
  expect(await ask((redis) => redis.config("GET", "port"))).toEqual(["port", "0"]);
  await ask((redis) => redis.set("kept", "yes"));
  const files = readdirSync(path.join(dir.path, ".trivault/redis"), { recursive: true, withFileTypes: true });
  const open = files.filter((each) => (statSync(path.join(each.parentPath, each.name)).mode & 0o077) !== 0);
  expect(open.map(({ name }) => name)).toEqual([]); // 9.C18
  await first.stop();
  expect(await pid()).toBeNull();
  await start();
  expect(await ask((redis) => redis.get("kept"))).toBe("yes");
});

test("who comes second uses it, does not end it, and takes over when the first ends", async () => {
  const [first, second, third] = [await start(), await start(), await start()];
  const before = await pid();
  await ask((redis) => redis.set("kept", "yes"));
  await third.stop();
  expect(await pid()).toBe(before);
  await first.stop();
  await until(async () => (await pid()) !== null);
  expect(await pid()).not.toBe(before);
  expect(await ask((redis) => redis.get("kept"))).toBe("yes");
  await second.stop();
  expect(await pid()).toBeNull();
});

test("9.C18 where the path is too long its socket lies in a folder of ours that nobody can name beforehand", async () => {
  const far = path.join(dir.path, "far".repeat(30));
  const socketFolder = path.dirname(socketOf(await privateRedisUrl(far)));
  running.push(await startPrivateRedis(far, silentLogger()));
  url = await privateRedisUrl(far);
  expect(path.dirname(socketOf(url))).toBe(socketFolder);
  expect(path.basename(socketFolder)).toMatch(/^trivault-redis-.{6}$/);
  expect(statSync(socketFolder).mode & 0o777).toBe(0o700);
  expect(await pid()).not.toBeNull();
  await running.pop()?.stop();
  await chmod(socketFolder, 0o777); // as one that somebody else made
  expect(await privateRedisUrl(far)).not.toBe(url);
  await rm(socketFolder, { recursive: true });
  await rm(path.dirname(socketOf(await privateRedisUrl(far))), { recursive: true });
});

test("two that start at once make one", async () => {
  await Promise.all([start(), start(), start()]);
  const only = await pid();
  expect(only).not.toBeNull();
  for (const each of running.splice(0)) await each.stop();
  expect(await pid()).toBeNull();
});

test.each(["SIGKILL", "SIGTERM"] as const)(
  "one that ends by itself (%s) is started again, with its jobs",
  async (signal) => {
    await start();
    const before = (await pid()) ?? 0;
    await ask((redis) => redis.set("kept", "yes"));
    process.kill(before, signal);
    await until(async () => ![null, before].includes(await pid()));
    expect(await ask((redis) => redis.get("kept"))).toBe("yes");
  },
);

test("one whose owner was killed is ended first, and what it kept is taken over", async () => {
  const orphan = await startRedisServer(url, path.join(dir.path, ".trivault/redis"));
  const before = await pid();
  await ask((redis) => redis.set("kept", "yes"));
  await start();
  await orphan.ended;
  expect(await pid()).not.toBe(before);
  expect(await ask((redis) => redis.get("kept"))).toBe("yes");
});

test("where its owner has none to show, that is reported", async () => {
  const folder = path.join(dir.path, ".trivault/redis");
  await ensureFolder(folder);
  const owner = await takeFileLock(path.join(folder, "owner.db"), 0);
  const refused = { code: "QUEUE_UNREACHABLE", message: expect.stringContaining("Another process") };
  await expect(startPrivateRedis(dir.path, silentLogger(), 300)).rejects.toMatchObject(refused);
  owner?.release();
});

test("one that no longer answers but still runs is recognised by its process, and nothing is started beside it", async () => {
  const orphan = await startRedisServer(url, path.join(dir.path, ".trivault/redis"));
  const before = (await pid()) ?? 0;
  process.kill(before, "SIGSTOP");
  try {
    const refused = { code: "QUEUE_UNREACHABLE", message: expect.stringContaining(`process ${before}`) };
    await expect(startPrivateRedis(dir.path, silentLogger())).rejects.toMatchObject(refused);
  } finally {
    process.kill(before, "SIGCONT");
    await orphan.stop();
  }
}, 60_000);
