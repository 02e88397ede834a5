import { writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import { type Config, silentLogger } from "@trivault/core";
import { makeTempDir } from "@trivault/testkit";
import { type ConfigEvent, watchConfig } from "./config-watch.ts";

test("a file that is wrong and then as before is refused, and that ends", async () => {
  await using folder = await makeTempDir("tv-watch");
  const file = path.join(folder.path, "trivault.config.yaml");
  const config = { configFile: file } as Config;
  const events: ConfigEvent[] = [];
  let text = "";
  const change = async (to: string) => {
    text = to;
    await writeFile(file, to);
  };
  await change("good");
  const watch = watchConfig({
    config,
    file,
    load: () => {
      if (text === "wrong") throw new Error("it is wrong");
      return config;
    },
    reload: async () => undefined,
    onConfig: async (event) => {
      events.push(event);
    },
    log: silentLogger(),
    lookEveryMs: 10,
  });
  const until = async (outcomes: readonly string[]) => {
    while (events.length < outcomes.length) await sleep(10);
    expect(events.map(({ outcome }) => outcome)).toEqual(outcomes);
  };
  await change("wrong");
  await until(["refused"]);
  await change("good again");
  await until(["refused", "loaded"]);
  await watch.close();
});
