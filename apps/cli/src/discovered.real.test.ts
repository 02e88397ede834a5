import { writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { makeTempDir, type PostgresServer, startPostgres, type TempDir } from "@trivault/testkit";
import { recordedBy } from "./testing/fixture.ts";
import { runCli } from "./testing/spawn-cli.ts";

let dir: TempDir;
let postgres: PostgresServer;
beforeAll(async () => {
  [dir, postgres] = await Promise.all([makeTempDir("tv-discovered"), startPostgres()]);
  for (const name of ["blog", "wiki"]) {
    await postgres.query("CREATE TABLE posts AS SELECT generate_series(1, 10) AS id", await create(name));
  }
});
afterAll(async () => {
  await postgres.stop();
  await dir.remove();
});

async function create(name: string): Promise<string> {
  await postgres.createDatabase(name);
  return name;
}

let calls = 0;
let include = ["*"];

/** As in a process of its own: one that has asked a server asks it no more for a minute, but this one is at a new URL. */
async function cli(line: string) {
  const server = new URL(postgres.url);
  server.searchParams.set("application_name", `call-${++calls}`);
  const file = path.join(dir.path, "servers.yaml");
  const settings = { url: server.href, include, exclude: ["postgres", "template*"] };
  await writeFile(file, `servers: { main: ${JSON.stringify(settings)} }\n`, { mode: 0o600 });
  const env = {
    BACKUP_CONFIG: file,
    BACKUP_DIR: path.join(dir.path, "backups"),
    BACKUP_SPOOL_DIR: path.join(dir.path, "spool"),
    BACKUP_ENCRYPTION: "none",
    BACKUP_RESTORE_TARGET: postgres.urlOf("crm2"),
  };
  return runCli(line.split(" "), { cwd: dir.path, env });
}

async function health(more = "") {
  const { code, stdout } = await cli(`health --json${more}`);
  return { code, ...JSON.parse(stdout) };
}

const exists = async (name: string) =>
  (await postgres.query(`SELECT FROM pg_database WHERE datname = '${name}'`)).length === 1;

test("9.A3 a discovered database that is dropped is unhealthy until somebody takes note; one restored into is left out", async () => {
  for (const name of ["main.blog", "main.wiki"]) {
    expect(await cli(`run --inline --database ${name}`)).toMatchObject({ code: 0 });
  }
  expect(await health()).toMatchObject({ code: 0, orphans: [] });
  expect((await cli("restore --database main.wiki")).code).toBe(0);
  expect(await exists("crm2")).toBe(true);
  expect(await health()).toMatchObject({ code: 0, orphans: [{ name: "main.crm2", reason: "restored-into" }] });

  await postgres.query("DROP DATABASE blog");
  const row = { name: "main.blog", reason: "gone", server: "main", since: expect.any(String), backups: 1 };
  for (const { code, orphans } of [await health(), await health(" --database main.blog")]) {
    expect([code, orphans[0]]).toMatchObject([1, { ...row, acknowledged: null }]);
  }
  expect((await cli("run --inline --database main.wiki")).code).toBe(0); // and a round of maintenance
  expect(await recordedBy(cli, "database.vanished")).toMatchObject([{ database: "main.blog", outcome: "failed" }]);
  expect((await cli("acknowledge --database main.blog --reason moved")).code).toBe(0);
  for (const { code, orphans } of [await health(), await health(" --database main.blog")]) {
    expect([code, orphans[0]]).toMatchObject([0, { ...row, acknowledged: { reason: "moved" } }]);
  }
  include = ["*", "crm2"];
  expect((await health()).databases.map(({ name }: { name: string }) => name)).toContain("main.crm2");
}, 240_000);
