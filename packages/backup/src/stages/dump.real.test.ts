import { readdir } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { silentLogger } from "@trivault/core";
import { connect, parseDatabaseUrl } from "@trivault/postgres";
import { type PostgresServer, startPostgres, until } from "@trivault/testkit";
import { type FakeSite, fakeSite } from "../../test/fake-dump.ts";
import { listCopies } from "../copies.ts";
import { openDumpSlots } from "../dump-slots.ts";
import { runInline } from "../inline.ts";
import { listRuns } from "../run-directory.ts";

let server: PostgresServer;
let fake: FakeSite;
beforeAll(async () => {
  server = await startPostgres();
  await server.query("CREATE DATABASE shop");
  // Nothing that zstd could make small: some hundred segments.
  await server.query(
    "CREATE TABLE noise AS SELECT decode(string_agg(md5(i::text || random()), ''), 'hex') AS bytes FROM generate_series(1, 300000) i GROUP BY i / 1000",
    "shop",
  );
});
afterAll(() => server.stop());
beforeEach(async () => {
  fake = await fakeSite(server.urlOf("shop"));
});
afterEach(async () => fake[Symbol.asyncDispose]());

const backUp = (signal: AbortSignal) =>
  runInline(fake.site, "shop", { signal, log: silentLogger(), note: () => undefined, progress: () => undefined });

const sessions = (condition: string) =>
  server.query(
    `SELECT pid FROM pg_stat_activity WHERE application_name = 'trivault' AND pid <> pg_backend_pid() AND ${condition}`,
  );

/** A session that holds a lock, until it is ended. */
async function locking(table: string) {
  const client = await connect({ ...parseDatabaseUrl(server.urlOf("shop")), applicationName: "locks" });
  await client.query("BEGIN");
  await client.query(`LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
  return client;
}

async function expectNothingLeft() {
  expect(await readdir(fake.config.spoolDir)).toEqual([]);
  expect(await listRuns(fake.config)).toEqual([]);
  for (const tier of fake.site.tiers) expect(await listCopies(tier)).toEqual([]);
  const slot = await openDumpSlots(fake.config).take({ database: "shop", server: "any" }, AbortSignal.timeout(5000));
  expect(slot).not.toBeNull();
  await slot?.release();
}

describe("9.B10 a dump that is stopped, or fails, ends with all that it started, here and on the server,", () => {
  const stopped = async (stop: AbortController) => stop.abort(new Error("the worker shuts down"));
  const pgDumpEnds = () =>
    server.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LOCK TABLE%noise%'", "shop");
  test.each([
    ["roles are read behind a lock", "pg_catalog.pg_auth_members", 1, stopped],
    ["rows are counted, and dumped, behind one", "public.noise", 2, stopped],
    ["rows are counted behind one when pg_dump fails", "public.noise", 2, pgDumpEnds],
  ])("while %s", async (_, table, waiting, end) => {
    const lock = await locking(table);
    try {
      const stop = new AbortController();
      const running = backUp(stop.signal);
      await until(async () => (await sessions("wait_event_type = 'Lock'")).length === waiting);
      await end(stop);
      const { ends } = await running;
      expect(ends.find(({ stage }) => stage.stage === "dump")).toMatchObject({ ok: false });
      await expectNothingLeft();
      // Nothing waits on for the lock, which is still held.
      await until(async () => (await sessions("true")).length === 0);
    } finally {
      await lock.end();
    }
  });
});
