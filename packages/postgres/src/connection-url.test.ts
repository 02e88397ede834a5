import { describe, expect, test } from "@jest/globals";
import { TrivaultError } from "@trivault/core";
import { type Connection, describeConnection, parseDatabaseUrl } from "./connection-url.ts";
import { conninfo } from "./libpq.ts";

const full: Connection = {
  setting: "SHOP_URL",
  host: "db.example",
  port: 6432,
  user: "ann",
  password: "p@ss:w/rd",
  database: "shop",
  sslMode: "verify-full",
  sslRootCert: "/etc/ca.pem",
  sslCert: "/c.pem",
  sslKey: "/k.pem",
  requireAuth: ["md5", "scram-sha-256"],
  connectTimeoutSeconds: 7,
  options: "-c work_mem=64MB",
  applicationName: "nightly",
};

describe("parseDatabaseUrl", () => {
  test.each([
    ["DATABASE_URL", "DATABASE_URL cannot be used: it names no database"],
    ["databases.shop.url in /etc/t.yaml", "databases.shop.url in /etc/t.yaml cannot be used: it names no database"],
    [undefined, "The database URL cannot be used: it names no database"],
  ])("names the setting that is wrong: %s", (setting, message) => {
    expect(() => parseDatabaseUrl("postgresql://h", setting)).toThrow(message);
  });

  test("reads every part, percent-decoded once", () => {
    const query = "sslmode=verify-full&sslrootcert=/etc/ca.pem&sslcert=/c.pem&sslkey=/k.pem&connect_timeout=7";
    const rest = "require_auth=md5,scram-sha-256&options=-c%20work_mem%3D64MB&application_name=nightly";
    expect(
      parseDatabaseUrl(`postgresql://ann:p%40ss%3Aw%2Frd@db.example:6432/shop?${query}&${rest}`, "SHOP_URL"),
    ).toEqual(full);
  });

  test.each([
    ["postgres://h/d", { host: "h", port: 5432, sslMode: "prefer", password: null, connectTimeoutSeconds: 15 }],
    ["postgresql:///d?host=/run/pg%2Cx", null],
    ["postgresql:///d?host=/run/my%20pg&port=5433", { host: "/run/my pg", port: 5433 }],
    ["postgresql://%2Frun%2Fpostgresql/d", { host: "/run/postgresql" }],
    ["postgresql://u@[::1]:5433/d", { host: "::1", port: 5433, user: "u" }],
    ["postgresql://u:@h/d", { password: "" }],
    ["postgresql://u:a:b@h/d", { password: "a:b" }],
    ["postgresql://u:p?q#r@h/d", { password: "p?q#r" }],
    ["postgresql://h/?dbname=d", { database: "d" }],
    ["postgresql://h/a%20b+c", { database: "a b+c" }],
    ["postgresql://h/d?ssl=true", { sslMode: "require" }],
  ])("%s", (url, expected) => {
    if (expected === null) expect(() => parseDatabaseUrl(url)).toThrow(TrivaultError);
    else expect(parseDatabaseUrl(url)).toMatchObject(expected);
  });

  test.each([
    "a=b",
    "postgres://evil/x",
    "host=evil dbname=y",
    "-d",
    `it's "q"`,
    "new\nline",
    "back\\slash",
    "a/b",
    "Ünï",
  ])("the database name %j is only ever a name", (name) => {
    const connection = parseDatabaseUrl(`postgresql://h/${encodeURIComponent(name)}`);
    expect(connection).toMatchObject({ host: "h", database: name });
  });

  test.each([
    ["mysql://h/d", /not of the form/],
    ["postgresql://h", /names no database/],
    ["postgresql://h/", /names no database/],
    ["postgresql://a,b/d", /several hosts/],
    ["postgresql://h:1,2/d", /several hosts/],
    ["postgresql:///d?host=a,b", /several hosts/],
    ["postgresql://h/d?target_session_attrs=any", /"target_session_attrs".*those that work/],
    ["postgresql://h/d?service=x", /"service"/],
    ["postgresql://h/d?sslmode=verifyfull", /sslmode must be one of/],
    ["postgresql://h/d?ssl=false", /ssl can only be true/],
    ["postgresql://h/d?sslmode=disable&ssl=true", /not beside sslmode/],
    ["postgresql://h/d?sslmode=disable&sslmode=require", /twice/],
    ["postgresql://h/d?dbname=e", /names the database twice/],
    ["postgresql://h:0/d", /port must be/],
    ["postgresql://h:99999/d", /port must be/],
    ["postgresql://h:5432x/d", /port must be/],
    ["postgresql://h/d?connect_timeout=0", /connect_timeout must be/],
    ["postgresql://u:secret-word@x@h/d", /%40/],
    ["postgresql://h/%zz", /percent-encoding/],
    ["postgresql://h/a%00b", /NUL/],
    ["postgresql://u:a%0Ab@h/d", /line break/],
    ["postgresql://fe80::1/d", /port must be/],
    ["postgresql://[::1/d", /brackets/],
  ])("refuses %s", (url, message) => {
    const parse = (): unknown => parseDatabaseUrl(url);
    expect(parse).toThrow(message);
    expect(parse).toThrow(expect.objectContaining({ code: "INPUT_INVALID", permanent: true }));
    expect(parse).not.toThrow(/secret-word/);
  });

  test("descriptions never hold the password", () => {
    expect(describeConnection(full)).toBe('database "shop" on db.example:6432 as user "ann"');
  });
});

test("conninfo quotes what libpq would otherwise expand", () => {
  expect(conninfo(`a'b\\c host=evil`)).toMatch(/^dbname='a\\'b\\\\c host=evil' keepalives_idle=30 /);
});
