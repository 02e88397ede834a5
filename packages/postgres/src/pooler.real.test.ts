import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { type PgbouncerServer, type PostgresServer, startPgbouncer, startPostgres } from "@trivault/testkit";
import { Client } from "pg";
import { connect, withClient } from "./connect.ts";
import { parseDatabaseUrl } from "./connection-url.ts";
import { openSnapshot } from "./snapshot.ts";
import { prepareTarget } from "./target.ts";

// Generous: other tests may keep the machine busy.
jest.setTimeout(60_000);

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
  await server.createDatabase("shop");
  await server.query("CREATE TABLE goods AS SELECT 1 AS id", "shop");
});
afterAll(() => server.stop());

/** What the application sees through its pooler: the search path of each of the pooler's connections. */
async function searchPaths(pooler: PgbouncerServer): Promise<Set<string>> {
  const found = new Set<string>();
  const clients = Array.from({ length: 5 }, () => new Client({ connectionString: pooler.urlOf("shop") }));
  await Promise.all(clients.map((client) => client.connect()));
  // At once, so that each has a connection of its own meanwhile.
  const answers = await Promise.all(
    clients.map((client) =>
      client.query<{ search_path: string }>("SELECT pg_sleep(0.2), current_setting('search_path') AS search_path"),
    ),
  );
  for (const { rows } of answers) found.add(rows[0]?.search_path ?? "");
  await Promise.all(clients.map((client) => client.end()));
  return found;
}

describe.each(["transaction", "statement"] as const)("a pooler in %s mode", (poolMode) => {
  test("is refused by name, before anything is set: the application's connections are as they were", async () => {
    await using pooler = await startPgbouncer({ server, poolMode });
    const connection = parseDatabaseUrl(pooler.urlOf("shop"), "BACKUP_DATABASE_URL");
    const before = await searchPaths(pooler);
    const refused = {
      code: "DATABASE_REFUSED",
      permanent: true,
      message: expect.stringMatching(/pooler in transaction mode.*Let BACKUP_DATABASE_URL name the server itself/s),
    };
    await expect(openSnapshot(connection)).rejects.toMatchObject(refused);
    const target = { details: null, serverMajor: server.major, force: true };
    await expect(prepareTarget(connection, target)).rejects.toMatchObject(refused);
    expect(await searchPaths(pooler)).toEqual(before);
    expect(
      await server.query("SELECT FROM pg_stat_activity WHERE query LIKE 'SET search_path%' AND datname = 'shop'"),
    ).toEqual([]);
  });

  test("with one connection to the server is refused as well", async () => {
    await using pooler = await startPgbouncer({ server, poolMode, poolSize: 1 });
    await expect(connect(parseDatabaseUrl(pooler.urlOf("shop")))).rejects.toMatchObject({ code: "DATABASE_REFUSED" });
  });
});

describe("a pooler in session mode", () => {
  test("is as good as the server itself", async () => {
    await using pooler = await startPgbouncer({ server, poolMode: "session" });
    const snapshot = await openSnapshot(parseDatabaseUrl(pooler.urlOf("shop")));
    const { tables } = await snapshot.details({ rowCounts: true });
    await snapshot.close();
    expect(tables).toMatchObject([{ name: "goods", rows: 1 }]);
  });

  test("also where it has no connection left for a second session of ours", async () => {
    await using pooler = await startPgbouncer({ server, poolMode: "session", poolSize: 1 });
    const connection = parseDatabaseUrl(pooler.urlOf("shop"));
    const rows = await withClient(
      connection,
      async (client) => (await client.query("SELECT id FROM public.goods")).rows,
    );
    expect(rows).toEqual([{ id: 1 }]);
  });
});
