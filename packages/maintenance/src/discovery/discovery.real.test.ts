import { readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { type Config, resolveConfig } from "@trivault/core";
import { freePort, makeTempDir, type PostgresServer, startPostgres, type TempDir } from "@trivault/testkit";
import { knownDatabases } from "@trivault/site";
import { keepDiscovery } from "./keep-discovery.ts";

let dir: TempDir;
let postgres: PostgresServer;
let cache: string;
beforeAll(async () => {
  [dir, postgres] = await Promise.all([makeTempDir("tv-discovery"), startPostgres()]);
  cache = path.join(dir.path, "backups/.trivault/discovered.json");
  for (const name of ["app_one", "app_two", "app_test", "other"]) await postgres.createDatabase(name);
});
afterAll(async () => {
  await postgres.stop();
  await dir.remove();
});

async function config(yaml: string): Promise<Config> {
  const file = path.join(dir.path, "trivault.config.yaml");
  await writeFile(file, yaml, { mode: 0o600 });
  const env = { BACKUP_CONFIG: file, BACKUP_ENCRYPTION: "none", BACKUP_DIR: path.join(dir.path, "backups") };
  return resolveConfig(env, "backup");
}

const main = (url: string) => `  main: { url: "${url}", include: ["app_*"], exclude: ["*_test"], priority: 3 }\n`;
const names = async (of: Config, fresh = false) =>
  (await knownDatabases(of, { fresh })).databases.map(({ name }) => name);

test("databases of a server are found by pattern, and remembered while it is down", async () => {
  const yaml = `databases:
  shop: { url: "postgresql://h/shop" }
  main.app_two: { url: "${postgres.urlOf("app_two")}", priority: 1 }
servers:
${main(postgres.url)}`;
  const found = await knownDatabases(await config(yaml));
  expect(found).toMatchObject({
    databases: [
      { name: "shop" },
      { name: "main.app_two", priority: 1 },
      { name: "main.app_one", url: postgres.urlOf("app_one"), priority: 3 },
    ],
    problems: [],
  });
  expect((await stat(cache)).mode & 0o777).toBe(0o600);
  expect(await readFile(cache, "utf8")).not.toContain("://");

  // Within a minute the server is not asked again, unless somebody wants to know now.
  await postgres.createDatabase("app_three");
  expect(await names(await config(yaml))).not.toContain("main.app_three");
  expect(await names(await config(yaml), true)).toContain("main.app_three");
  await postgres.query("DROP DATABASE app_three");

  const away = await config(`servers:\n${main(`postgresql://u:hunter2@127.0.0.1:${await freePort()}/postgres`)}`);
  const remembered = await knownDatabases(away);
  expect(remembered.databases.map(({ name }) => name)).toEqual(["main.app_one", "main.app_three", "main.app_two"]);
  expect(remembered.problems).toEqual([{ server: "main", reason: expect.stringMatching(/^No connection to/) }]);
  expect(JSON.stringify(remembered.problems)).not.toContain("hunter2");

  await writeFile(cache, "{ damaged");
  expect(await names(away)).toEqual([]);
  expect(await names(await config(yaml), true)).toEqual(["shop", "main.app_two", "main.app_one"]);
});

test("9.A3 a database that is dropped on the server is gone, is recorded once, and is no longer once it is back", async () => {
  const events: string[] = [];
  const record = async ({ action, database }: { action: string; database?: string | undefined }) =>
    void events.push(`${action} ${database}`);
  const blogs = await config(`servers:\n  main: { url: "${postgres.url}", include: ["blog"] }\n`);
  const known = () => knownDatabases(blogs, { fresh: true });
  const keep = () => keepDiscovery({ config: blogs, record, now: () => new Date() }, { fresh: true });
  await postgres.createDatabase("blog");
  expect((await known()).databases.map(({ name }) => name)).toEqual(["main.blog"]);
  await postgres.query("DROP DATABASE blog");
  expect((await known()).gone).toMatchObject([{ name: "main.blog", server: "main" }]);
  for (let round = 0; round < 2; round++) await keep();
  expect(events).toEqual(["database.vanished main.blog"]);
  await postgres.createDatabase("blog");
  await keep();
  expect((await known()).gone).toEqual([]);
  expect(events).toEqual(["database.vanished main.blog", "database.returned main.blog"]);
  await postgres.query("DROP DATABASE blog");
});

test("one server that is away does not hide the others, and a name that no tier can hold is reported", async () => {
  const long = "ü".repeat(31);
  await postgres.createDatabase(long);
  const yaml = `servers:
  gone: { url: "postgresql://u@127.0.0.1:${await freePort()}/postgres" }
  a-server-of-long-name: { url: "${postgres.urlOf("other")}", exclude: ["app_*", "postgres"] }
`;
  const { databases, problems } = await knownDatabases(await config(yaml));
  expect(databases.map(({ name }) => name)).toEqual(["a-server-of-long-name.other"]);
  expect(problems.map(({ server }) => server).toSorted()).toEqual(["a-server-of-long-name", "gone"]);
  expect(problems.find(({ server }) => server !== "gone")?.reason).toMatch(/too long/);
});
