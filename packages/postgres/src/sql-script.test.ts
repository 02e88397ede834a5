import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { forTarget } from "./sql-script.ts";

async function* inPieces(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text, "utf8");
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function passed(text: string, size = 7): Promise<string> {
  return Buffer.concat(await Array.fromAsync(forTarget(inPieces(text, size)))).toString("utf8");
}

const filler = `-- ${"x".repeat(1500)}\n`;

describe("a plain SQL dump on its way to psql", () => {
  test.each([
    ["comments, statements", "--\n-- it's $$ a comment \\! ls\n\nSET a = 1;\nSELECT 'it''s', \"a\"\"b\", 1/2;\n"],
    [
      "a psql command in a string",
      "SELECT '\n\\! ls\n';\nCREATE TABLE t (x text DEFAULT '\\connect x\n\\connect y');\n",
    ],
    ["escapes", "SELECT E'a\\'b\\\\', E'a''\\'b', 'a\\', e'\n\\! ls\n';\n"],
    [
      "dollar quotes",
      "CREATE FUNCTION f() AS $_$ '; \\! ls $$ $_$;\nDO $$\n\\connect x\n$$;\nSELECT a$b$c, $1, 'x';\n",
    ],
    ["names with odd characters", 'CREATE TABLE "a;\n\\! ls" (é$x$ int);\nSELECT 1;\n'],
    ["nested comments", "/* a /* \\! ls */ ' */ SELECT 1 /* \\! */ ; -- \\! ls\n"],
    [
      "COPY data",
      'COPY public.t (a, "b;c") FROM stdin;\n\\N\t\'\n\\restrict x\n-- a\nDROP DATABASE x;\n\\.\n\nSELECT 1;\n',
    ],
    ["empty COPY data", "COPY t (a) FROM stdin;\n\\.\nSELECT 1;\n"],
    ["data that looks nearly like its end", "COPY t (a) FROM stdin;\n\\..\n\\.x\n a\\.\n\\.\n"],
    ["COPY into a file, by the server", "COPY t TO '/tmp/from stdin';\nSELECT 1;\n"],
    ["a wide COPY", `COPY t (${"a_long_column_name, ".repeat(300)}b) FROM stdin;\n\\N\n\\.\n`],
    ["grants on other things", 'GRANT ALL ON SCHEMA "x ON DATABASE y" TO z;\nREVOKE ALL ON TABLE t FROM PUBLIC;\n'],
    ["no newline at the end", "SELECT 1"],
  ])("%s: passes as it is", async (_, text) => {
    for (const size of [1, 7, 100_000]) expect(await passed(text, size)).toBe(text);
    expect(await passed(filler + text + filler)).toBe(filler + text + filler);
  });

  test("what is for another database is taken out", async () => {
    const text = `--
-- PostgreSQL database dump
--

\\restrict abc

SET x = 1;
DROP DATABASE shop;
CREATE DATABASE shop WITH TEMPLATE = template0 ENCODING = 'UTF8';
ALTER DATABASE "sh;op" OWNER TO keeper;

\\unrestrict abc
\\connect -reuse-previous=on "dbname='sh;op'"
\\restrict abc
COMMENT ON DATABASE shop IS 'a;
\\! ls
b';
ALTER DATABASE shop SET work_mem TO '8MB';
\\connect shop
CREATE TABLE t (a text);
BEGIN;
SELECT pg_catalog.lo_open('1', 131072);
COMMIT;
GRANT CONNECT,TEMPORARY ON DATABASE shop TO reader;
-- done
\\unrestrict abc
`;
    const expected = `--\n-- PostgreSQL database dump\n--\n\n\n\nSET x = 1;\n\n\n\n\n\n\n\n\n\n\nCREATE TABLE t (a text);\n\nSELECT pg_catalog.lo_open('1', 131072);\n\n\n-- done\n\n`;
    for (const size of [1, 7, 100_000]) expect(await passed(text, size)).toBe(expected);
    expect(await passed("SELECT 1;\n\\connect x")).toBe("SELECT 1;\n");
  });

  test.each([
    "\\! touch x",
    "SELECT 1 \\! touch x",
    "SELECT 1;\\! ls",
    "\\copy t from program 'ls'",
    "\\i x",
    "\\restrictx",
    "\\o |ls",
    "SELECT 'a\\'\n\\! ls\n;",
    "COPY t (a) FROM stdin;\n1\n\\.\n\\! ls",
    "copy t from stdin;\n\\.\n\\g |ls",
    "DROP DATABASE x \\! ls",
    "SELECT U&'x\\' \\! ls",
    "SELECT é'a\\' \\! ls",
  ])("%j is refused", async (text) => {
    for (const size of [1, 100_000]) {
      await expect(passed(`${filler}${text}\n${filler}`, size)).rejects.toMatchObject({
        code: "RESTORE_FAILED",
        message: expect.stringContaining("a command for psql"),
      });
    }
  });

  test("how the bytes are cut makes no difference", async () => {
    const part = fc.constantFrom(
      "'",
      '"',
      "$$",
      "$a$",
      "E'",
      "\\\\",
      "\\'",
      ";",
      "\n",
      "--",
      "/*",
      "*/",
      "COPY t FROM stdin;\n",
      "\n\\.\n",
      "a",
      " ",
    );
    const text = fc.array(part, { maxLength: 40 }).map((parts) => parts.join(""));
    await fc.assert(
      fc.asyncProperty(text, fc.integer({ min: 1, max: 50 }), fc.nat(1200), async (sql, size, pad) => {
        const script = `${"-".repeat(pad + 2)}\n${sql}`;
        const result = (each: number) => passed(script, each).catch((error: Error) => error.message);
        expect(await result(size)).toBe(await result(100_000));
      }),
    );
  });
});
