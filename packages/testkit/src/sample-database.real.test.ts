import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type PostgresServer, startPostgres } from "./postgres.ts";
import { createSampleDatabase } from "./sample-database.ts";

describe("createSampleDatabase", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  async function sample(name: string, seed: number) {
    const size = await createSampleDatabase(await server.createDatabase(name), { megabytes: 14, seed });
    const one = async (sql: string) => Object.values((await server.query(sql, name))[0] ?? {})[0];
    return { size, one };
  }
  const digest = "select md5(string_agg(t::text, '' order by id)) from events t where id <= 5000";

  test("has the size asked for, several filled tables, and constraints that hold", async () => {
    const { size, one } = await sample("shop", 1);
    expect(Number(await one("select pg_database_size('shop')"))).toBeGreaterThanOrEqual(size);
    expect(size).toBeGreaterThanOrEqual(14_000_000);
    expect(size).toBeLessThan(17_500_000);
    await server.query("analyze", "shop");
    const tables = await server.query(
      "select reltuples::int as n from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace",
      "shop",
    );
    expect(tables).toHaveLength(8);
    expect(tables.every(({ n }) => Number(n) > 0)).toBe(true);
    expect(await one("select count(*)::int from pg_constraint where contype = 'f' and convalidated")).toBe(8);
    expect(await one("select count(*)::int from order_overview where lines > 0")).toBe(5600);
    expect(await one("select count(*)::int from pg_proc where pronamespace = 'public'::regnamespace")).toBe(0);
  });

  test("gives the same rows for the same seed, and others for another", async () => {
    const [same, other] = [await sample("same", 1), await sample("other", 2)];
    const expected = (await server.query(digest, "shop"))[0]?.["md5"];
    expect(await same.one(digest)).toBe(expected);
    expect(await other.one(digest)).not.toBe(expected);
  });
});
