import { describe, expect, test } from "@jest/globals";
import { resolveConfig } from "@trivault/core";
import { databaseOfScript, nameDatabase } from "./name-database.ts";

const config = resolveConfig({ DATABASE_URL: "postgresql://u@h/shop" }, "read", {
  cwd: "/",
  home: "/",
  memoryDir: null,
});

describe("which database a dump is of", () => {
  test.each([
    ["shop.backup", "shop"],
    ["shop-2026-11-20.sql.gz", "shop"],
    ["shop_20261120_031500.dump", "shop"],
    ["2026-11-20T03:15:00Z-shop.sql", "shop"],
    ["daily/shop_db.2026.11.20.tar", "shop_db"],
    ["shop_1763600000.backup", "shop"],
    ["Müller 2026-11-20 0315.sql", "Müller"],
    ["shop2.sql", "shop2"],
    ["orders-12345678.sql", "orders-12345678"],
  ])("%s: the file's name says %s", (file, database) => {
    expect(nameDatabase(config, file, null, "script")).toEqual({ database, from: "file name" });
  });

  test("the folder's name where the file's is a date, and nothing where that is none", () => {
    expect(nameDatabase(config, "old/shop/2026-11-20.sql.gz", null, "script")).toEqual({
      database: "shop",
      from: "folder name",
    });
    expect(nameDatabase(config, "2026/2026-11-20.sql.gz", null, "script")?.database).toBe("2026");
    expect(nameDatabase(config, "20261120.sql.gz", null, "script")).toBeNull();
  });

  test("what the dump says comes first; a configured database of another name is found by its URL", () => {
    expect(nameDatabase(config, "x.sql", "other", "archive")).toEqual({ database: "other", from: "archive" });
    const renamed = { ...config, databases: config.databases.map((each) => ({ ...each, name: "webshop" })) };
    expect(nameDatabase(renamed, "x.sql", "shop", "script")).toEqual({ database: "webshop", from: "script" });
  });

  const header =
    "--\n-- PostgreSQL database dump\n--\n\n\\restrict abc\n\nSET a = 1;\nSELECT pg_catalog.set_config('a', '', false);\n\n";
  test.each([
    ["CREATE DATABASE shop WITH TEMPLATE = template0;\n", "shop"],
    ['DROP DATABASE IF EXISTS shop;\n--\n-- x\n--\n\nCREATE DATABASE "my ""shop" WITH ENCODING = 1;\n', 'my "shop'],
    ["CREATE TABLE t (a text);\nCREATE DATABASE shop;\n", null],
    ["CREATE FUNCTION f() AS $$\nCREATE DATABASE shop ;\n$$;\n", null],
    ["", null],
  ])("a script that goes on with %j", (rest, name) => {
    expect(databaseOfScript(header + rest)).toBe(name);
    expect(databaseOfScript((header + rest).replaceAll("\n", "\r\n"))).toBe(name);
  });
});
