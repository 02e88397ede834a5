import { expect, test } from "@jest/globals";
import { silentLogger } from "@trivault/core";
import type { KnownDatabases } from "./discovery.ts";
import { watchDatabases } from "./watch-databases.ts";

/** It is never waited for longer than a test runs. */
const FOR_EVER_MS = 600_000;

const found = (...servers: string[]): KnownDatabases => ({
  databases: [],
  problems: servers.map((server) => ({ server, reason: "refused" })),
  unknownServers: [],
  gone: [],
  leftOut: [],
});

function logged() {
  const lines: object[] = [];
  return { lines, log: Object.assign(silentLogger(), { warn: (fields: object) => void lines.push(fields) }) };
}

test("the first answer is waited for, and its failure is the caller's", async () => {
  const answers = [Promise.reject(new Error("no such folder")), Promise.resolve(found())];
  const watch = watchDatabases(() => answers.shift() ?? Promise.resolve(found()), silentLogger(), 0);
  await expect(watch()).rejects.toThrow("no such folder");
  await expect(watch()).resolves.toEqual(found());
});

test("later ones are those of the time before, until newer ones are there; one question at a time", async () => {
  const second = Promise.withResolvers<KnownDatabases>();
  const answers = [Promise.resolve(found()), second.promise];
  let asked = 0;
  const ask = () => answers[asked++] ?? second.promise;
  const watch = watchDatabases(ask, silentLogger(), 0);
  await watch();
  expect(await watch()).toEqual(found());
  expect(await watch()).toEqual(found());
  expect(asked).toBe(2);
  second.resolve(found("db1"));
  await second.promise;
  const patient = watchDatabases(() => second.promise, silentLogger(), FOR_EVER_MS);
  expect(await patient()).toEqual(found("db1"));
  expect(await patient()).toEqual(found("db1"));
});

test("a later failure is logged, and the last answer stays", async () => {
  const { lines, log } = logged();
  const answers = [Promise.resolve(found()), Promise.reject(new Error("disk full"))];
  const watch = watchDatabases(() => answers.shift() ?? Promise.resolve(found()), log, FOR_EVER_MS);
  await watch();
  expect(await watch()).toEqual(found());
  expect(lines).toEqual([{ reason: "disk full" }]);
});

test("a server that does not answer is logged once, and again after it did", async () => {
  const { lines, log } = logged();
  const answers = [found("db1"), found("db1"), found(), found("db1", "db2")];
  const watch = watchDatabases(async () => answers.shift() ?? found(), log, FOR_EVER_MS);
  for (let look = 0; look < 4; look++) await watch();
  expect(lines).toEqual(["db1", "db1", "db2"].map((server) => ({ server, reason: "refused" })));
});
