import { afterEach, expect, test } from "@jest/globals";
import { memoryStore, type Tier } from "@trivault/storage";
import { startProbe } from "./probe.ts";

const ended = new AbortController();
afterEach(() => ended.abort());

test("a tier that answers nothing twice in a row is silent, since the first time, until it answers again", async () => {
  let answers: "yes" | "no" | "never" = "yes";
  const store = memoryStore("cloud");
  const capacity = () => {
    if (answers === "no") return Promise.reject(new Error("no route to host"));
    return answers === "never" ? new Promise<never>(() => undefined) : Promise.resolve({ free: 1, total: 2 });
  };
  const tier: Tier = { name: "cloud", kind: "s3", store: { ...store, capacity } };
  const times = { everyMs: 5, againMs: 5, answerMs: 50 };
  let clock = 0;
  const probe = startProbe(tier, () => new Date(++clock), ended.signal, times);
  const until = async (wanted: (state: ReturnType<typeof probe.state>) => boolean) => {
    while (!wanted(probe.state())) await new Promise((resolve) => setTimeout(resolve, 2));
    return probe.state();
  };
  expect(await until(({ latencySeconds }) => latencySeconds !== null)).toMatchObject({
    capacity: { free: 1 },
    silent: null,
  });
  answers = "no";
  const silent = await until((state) => state.silent !== null);
  expect(silent).toMatchObject({ latencySeconds: null, silent: { reason: "no route to host" } });
  answers = "never";
  expect(await until((state) => state.silent?.reason !== silent.silent?.reason)).toMatchObject({
    silent: { reason: "no answer within 0.05 s", since: silent.silent?.since },
  });
  answers = "yes";
  expect(await until((state) => state.silent === null)).toMatchObject({ latencySeconds: expect.any(Number) });
});
