import type { PostgresServer } from "@trivault/testkit";
import { oneOf, type Random } from "../support/random.ts";

/**
 * What a database holds is identified by one number, `version`, which is in the database itself: each change is one transaction.
 * So a backup, made at any moment, must hold one of the versions that there were, whole.
 */
const CREATE = `
  create table version (v int not null);
  insert into version values (0);
  create table entries (id int primary key, body text not null);
  create index on entries (left(body, 8));
`;
const ROWS = [800, 4000, 9000] as const;

export interface Content {
  readonly version: number;
  readonly digest: string;
}

export async function createContent(server: PostgresServer, database: string): Promise<void> {
  await server.query(`create database ${database}`);
  await server.query(CREATE, database);
}

/** One more version: rows are changed, and there may be many more of them, or fewer. */
export async function changeContent(server: PostgresServer, database: string, random: Random): Promise<Content> {
  const rows = oneOf(random, ROWS) ?? 800;
  const body = (id: string, v: string) =>
    [1, 2, 3, 4].map((part) => `md5(${id} || '.' || ${v} || '.${part}')`).join(" || ");
  await server.query(
    `begin;
     update version set v = v + 1;
     delete from entries where id > ${rows};
     insert into entries select i, ${body("i", "v")} from version, generate_series(1, ${rows}) i on conflict do nothing;
     update entries set body = ${body("id", "v")} from version where id % 7 = v % 7;
     commit;`,
    database,
  );
  return readContent(server, database);
}

export async function readContent(server: PostgresServer, database: string): Promise<Content> {
  const [row] = await server.query(
    "select v, (select md5(coalesce(string_agg(id || ':' || md5(body), ',' order by id), '')) from entries) as digest from version",
    database,
  );
  return { version: Number(row?.["v"]), digest: String(row?.["digest"]) };
}
