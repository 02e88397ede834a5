import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { type Config, resolveConfig, silentLogger, TrivaultError } from "@trivault/core";
import { type ConfigEvent, watchConfig } from "./config-watch.ts";
import { startGenerations } from "./generations.ts";

const LOOK = 20;
let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "tv-watch-"));
  file = path.join(folder, "trivault.config.yaml");
});
afterEach(() => rm(folder, { recursive: true }));

const databases = (...names: string[]) =>
  `databases:\n${names.map((name) => `  ${name}: { url: "postgresql://h/${name}" }\n`).join("")}`;
const load = () => resolveConfig({ BACKUP_CONFIG: file, BACKUP_ENCRYPTION: "none" }, "backup");
const namesOf = (config: Config) => config.databases.map(({ name }) => name).join(" ");

/** Returns what was brought into force, in order, and what was reported. */
async function watched(use: (force: string[], events: ConfigEvent[]) => Promise<void>, failures: Error[] = []) {
  await writeFile(file, databases("a"), { mode: 0o600 });
  const force: string[] = [];
  const events: ConfigEvent[] = [];
  const watch = watchConfig({
    config: load(),
    file,
    load,
    reload: async (config) => {
      const failure = failures.shift();
      if (failure) throw failure;
      force.push(namesOf(config));
    },
    onConfig: async (event) => void events.push(event),
    log: silentLogger(),
    lookEveryMs: LOOK,
  });
  try {
    await use(force, events);
  } finally {
    await watch.close();
  }
}

const eventually = async (check: () => void) => {
  for (let tries = 0; tries < 500; tries++, await sleep(LOOK)) {
    try {
      return check();
    } catch {}
  }
  return check();
};

test("a changed file is taken up, also one that an editor has put in its place; one that says the same is not", async () => {
  await watched(async (force, events) => {
    await writeFile(file, databases("a", "b"));
    await eventually(() => expect(force).toEqual(["a b"]));
    await writeFile(`${file}.new`, databases("c"));
    await rename(`${file}.new`, file);
    await eventually(() => expect(force).toEqual(["a b", "c"]));
    await writeFile(file, `# a comment\n${databases("c")}`);
    await sleep(LOOK * 6);
    expect(force).toEqual(["a b", "c"]);
    expect(events).toEqual([
      { outcome: "loaded", file },
      { outcome: "loaded", file },
    ]);
  });
});

test("a file that is made after the start is taken up, and is then needed", async () => {
  const environment = { BACKUP_ENCRYPTION: "none", DATABASE_URL: "postgresql://h/first" };
  const around = { cwd: folder, home: folder, memoryDir: null };
  const force: string[] = [];
  const events: ConfigEvent[] = [];
  const watch = watchConfig({
    config: resolveConfig(environment, "backup", around),
    file,
    load: ({ configFile }) =>
      resolveConfig({ ...environment, BACKUP_CONFIG: configFile ?? undefined }, "backup", around),
    reload: async (config) => void force.push(namesOf(config)),
    onConfig: async (event) => void events.push(event),
    log: silentLogger(),
    lookEveryMs: LOOK,
  });
  try {
    await sleep(LOOK * 6);
    expect(force).toEqual([]);
    await writeFile(file, databases("second"), { mode: 0o600 });
    await eventually(() => expect(force).toEqual(["first second"]));
    await rm(file);
    await eventually(() => expect(events.map(({ outcome }) => outcome)).toEqual(["loaded", "refused"]));
    expect(force).toHaveLength(1);
  } finally {
    await watch.close();
  }
});

test("a wrong file, and one that is gone, is refused once; the right one is taken up again", async () => {
  await watched(async (force, events) => {
    await writeFile(file, `${databases("a")}nonsense: 1\ntimeZone: Mars\n`);
    await eventually(() => expect(events).toHaveLength(1));
    await sleep(LOOK * 5);
    expect(events).toEqual([{ outcome: "refused", file, message: expect.stringMatching(/nonsense.*\n?.*|Mars/s) }]);
    await rm(file);
    await eventually(() => expect(events[1]?.message).toMatch(/does not exist/));
    expect(force).toEqual([]);
    await writeFile(file, databases("b"));
    await eventually(() => expect(force).toEqual(["b"]));
    expect(events).toHaveLength(3);
  });
});

test("what fails for a moment is tried again, and reported once", async () => {
  const away = () => new TrivaultError("QUEUE_UNREACHABLE", "Redis is away");
  await watched(
    async (force, events) => {
      await writeFile(file, databases("b"));
      await eventually(() => expect(force).toEqual(["b"]));
      expect(events.map(({ outcome }) => outcome)).toEqual(["refused", "loaded"]);
    },
    [away(), away()],
  );
});

test("a new generation takes over before the old one closes, which is not hurried until all end", async () => {
  await writeFile(file, databases("a"), { mode: 0o600 });
  const happened: string[] = [];
  const config = load();
  let finish: () => void = () => undefined;
  const generations = await startGenerations(
    config,
    async (each) => {
      const name = namesOf(each);
      if (name === "bad") throw new Error("cannot start");
      happened.push(`start ${name}`);
      return {
        isHealthy: async () => name === "b",
        async close(graceSeconds = 1) {
          happened.push(`close ${name} ${graceSeconds > 1_000_000 ? "at leisure" : "soon"}`);
          if (name === "a" && graceSeconds > 1) await new Promise<void>((resolve) => (finish = resolve));
        },
      };
    },
    silentLogger(),
  );
  const [database] = config.databases;
  if (!database) throw new Error("no database");
  const named = (name: string): Config => ({ ...config, databases: [{ ...database, name }] });
  expect(await generations.isHealthy()).toBe(false);
  await generations.reload(named("b"));
  expect(await generations.isHealthy()).toBe(true);
  expect(happened).toEqual(["start a", "start b", "close a at leisure"]);
  await expect(generations.reload(named("bad"))).rejects.toThrow("cannot start");
  expect(happened).toHaveLength(3);
  await generations.close();
  expect(happened.slice(3).toSorted()).toEqual(["close a soon", "close b soon"]);
  finish();
});
