import { existsSync } from "node:fs";
import { connect } from "node:net";
import { describe, expect, test } from "@jest/globals";
import { Redis } from "ioredis";
import { startRedis } from "./redis.ts";

describe("startRedis", () => {
  test("runs a server that never evicts, and leaves nothing behind", async () => {
    const server = await startRedis();
    const redis = new Redis(server.url);
    expect(await redis.config("GET", "maxmemory-policy")).toEqual(["maxmemory-policy", "noeviction"]);
    const [, folder] = await redis.config("GET", "dir");
    await redis.set("answer", "42");
    expect(await redis.get("answer")).toBe("42");
    redis.disconnect();

    await server.stop();
    await server.stop();
    expect(existsSync(String(folder))).toBe(false);
    expect(await answers(server.port)).toBe(false);
  });

  test("takes other settings, and runs several at once", async () => {
    await using careless = await startRedis({ args: ["--maxmemory-policy", "allkeys-lru"] });
    await using careful = await startRedis();
    expect(careless.port).not.toBe(careful.port);
    const redis = new Redis(careless.url);
    expect(await redis.config("GET", "maxmemory-policy")).toEqual(["maxmemory-policy", "allkeys-lru"]);
    redis.disconnect();
  });

  test("reports what redis-server said when it does not start", async () => {
    await expect(startRedis({ args: ["--no-such-setting", "1"] })).rejects.toThrow(/ended with 1:[^]*no-such-setting/);
  });
});

async function answers(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, "127.0.0.1", () => resolve(true)).once("error", () => resolve(false));
  const result = await promise;
  socket.destroy();
  return result;
}
