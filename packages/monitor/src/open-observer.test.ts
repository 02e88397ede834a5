import { afterAll, afterEach, beforeEach, expect, test } from "@jest/globals";
import { createLogger, resolveConfig } from "@trivault/core";
import { expectNoLeaks, makeTempDir, type TempDir } from "@trivault/testkit";
import type { Observer } from "./observer.ts";
import { openObserver } from "./open-observer.ts";

let dir: TempDir;
let observer: Observer;
let lines: string;
beforeEach(async () => {
  lines = "";
  dir = await makeTempDir("observer");
});
afterEach(async () => {
  await observer.close();
  await dir.remove();
});
afterAll(expectNoLeaks());

const PASSWORD = "sesame-of-the-database";
const log = createLogger("debug", "test", { write: (line) => void (lines += line) });
const config = () =>
  resolveConfig(
    {
      DATABASE_URL: `postgresql://user:${PASSWORD}@127.0.0.1:1/shop`,
      BACKUP_ENCRYPTION: "none",
      BACKUP_DIR: `${dir.path}/backups`,
    },
    "backup",
  );

test("looks in a thread, reports it, and leaves nothing when it is closed", async () => {
  observer = openObserver(config(), log);
  const looked = Promise.withResolvers<string>();
  const ended = new AbortController();
  observer.onLook(({ at }) => looked.resolve(at), ended.signal);
  const overview = await observer.overview();
  expect(overview.health.databases).toMatchObject([{ name: "shop", problem: "shop has no backup" }]);
  expect(Date.parse(await looked.promise)).toBeGreaterThan(0);
  ended.abort();
  await observer.refresh();
  expect((await observer.overview()).at > overview.at).toBe(true);
  expect(await observer.overview()).toBe(await observer.overview());
  expect(await observer.database("shop")).toMatchObject({ runs: [], recoveryPointSeconds: null });
  expect(await observer.tier("local")).toMatchObject({ health: { complete: 0 } });
  expect([await observer.database("x"), await observer.tier("x"), await observer.run("x")]).toEqual([null, null, null]);
  const late = observer.refresh();
  await observer.close();
  await late.catch(() => undefined);
  await expect(observer.overview()).rejects.toThrow("was closed");
  expect(lines).not.toContain(PASSWORD);
});

test("a thread that dies is started again; whoever waited for it gets an error", async () => {
  observer = openObserver(config(), log, { thread: new URL("../test/dying-thread.ts", import.meta.url) });
  expect(await observer.tier("cloud")).toEqual({ question: "tier", argument: "cloud" });
  await expect(observer.run("x")).rejects.toThrow(/died \(.*out of memory\).* started again/);
  expect(lines).toContain("it is started again");
  for (;;) {
    const answer = await observer.tier("again").catch((error: unknown) => error);
    if (!(answer instanceof Error)) break;
    expect(answer.message).toContain("started again by itself");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(await observer.tier("cloud")).toEqual({ question: "tier", argument: "cloud" });
});
