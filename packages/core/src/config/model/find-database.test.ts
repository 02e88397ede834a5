import { expect, test } from "@jest/globals";
import { discoveredDatabase, findDatabase, isDiscovered } from "./find-database.ts";
import { resolveConfig } from "../resolve/resolve.ts";
import { DEFAULT_RETENTION, formatRetention, parseRetention } from "../text/retention.ts";
import { formatDuration, parseDuration } from "../../time.ts";
import { nearest } from "./problems.ts";
import type { ServerConfig } from "./types.ts";

const env = { BACKUP_ENCRYPTION: "none", DATABASE_URL: "postgresql://h/main.shop" };
const [configured] = resolveConfig(env, "backup", { cwd: "/nowhere", home: "/", memoryDir: null }).databases;
if (!configured) throw new Error("no database");
const server: ServerConfig = {
  ...configured,
  name: "main",
  url: "postgresql://ann:p%40ss@db:5432/postgres?options=-c%20work_mem%3D64MB&sslmode=require",
  include: ["app_*", "main.?", "a[b]"],
  exclude: ["*_test"],
};

test.each([
  ["app_shop", true],
  ["app_", true],
  ["app_shop_test", false],
  ["my_app_shop", false],
  ["main.x", true],
  ["mainxx", false],
  ["a[b]", true],
  ["ab", false],
  ["", false],
])("%j is taken: %j", (name, taken) => {
  expect(isDiscovered(server, name)).toBe(taken);
});

test.each([
  ["app_shop", "postgresql://ann:p%40ss@db:5432/app_shop?options=-c%20work_mem%3D64MB&sslmode=require"],
  [
    "Müller & ?#/ co",
    "postgresql://ann:p%40ss@db:5432/M%C3%BCller%20%26%20%3F%23%2F%20co?options=-c%20work_mem%3D64MB&sslmode=require",
  ],
  ["..", "postgresql://ann:p%40ss@db:5432/..?options=-c%20work_mem%3D64MB&sslmode=require"],
])("the URL of a discovered %j is the server's in all but the database", (name, url) => {
  expect(discoveredDatabase(server, name)).toMatchObject({ name: `main.${name}`, url });
});

test.each([
  ["postgresql:///?host=/run/postgresql&dbname=postgres", "postgresql:///shop?host=/run/postgresql"],
  ["postgresql://h", "postgresql://h/shop"],
  ["postgresql://h?dbname=x", "postgresql://h/shop"],
])("of a server at %s", (url, expected) => {
  expect(discoveredDatabase({ ...server, url }, "shop").url).toBe(expected);
});

test("a database is found by its own name first, then by its server's patterns", () => {
  const config = { databases: [configured], servers: [server] };
  expect(findDatabase(config, "main.shop")).toBe(configured);
  expect(findDatabase(config, "main.app_1")).toMatchObject({ name: "main.app_1", priority: 5 });
  expect(findDatabase(config, "main.other")).toBeNull();
  expect(findDatabase(config, "app_1")).toBeNull();
});

test("durations and rules are written as they are read", () => {
  for (const text of ["1d 12h", "90m", "1h 30m", "0", "45s"]) {
    expect(parseDuration(formatDuration(parseDuration(text) ?? -1))).toBe(parseDuration(text));
  }
  expect(parseDuration("2w")).toBe(14 * 86_400);
  for (const text of ["", "1", "1 d", "d", "-1d", "1.5h", "1d12", "1y"]) expect(parseDuration(text)).toBeNull();
  expect(parseRetention(formatRetention(DEFAULT_RETENTION))).toEqual(DEFAULT_RETENTION);
  expect(formatRetention(DEFAULT_RETENTION)).toBe("last=5,hourly=48,daily=14,weekly=8,monthly=12,yearly=3,atLeast=2");
  expect(formatRetention({ ...DEFAULT_RETENTION, withinSeconds: 129_600 })).toContain("within=1d12h");
  expect(parseRetention("within=1d12h")).toMatchObject({ withinSeconds: 129_600 });
});

test.each([
  ["shedule", "schedule"],
  ["timezone", "timeZone"],
  ["vualt", "vault"],
  ["xyz", null],
  ["completely", null],
])("nearest to %s is %s", (typed, meant) => {
  expect(nearest(typed, ["schedule", "timeZone", "vault", "url"])).toBe(meant);
});
