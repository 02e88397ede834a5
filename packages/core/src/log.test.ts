import { Writable } from "node:stream";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { hidePasswords } from "./hide-passwords.ts";
import { createLogger, silentLogger } from "./log.ts";

const URL_WITH = "postgresql://ann:hunter2@db.example.org:5432/shop";

function capture() {
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString());
      done();
    },
  });
  return { lines, log: createLogger("info", "test", stream) };
}

describe("the log", () => {
  test.each<[string, (log: ReturnType<typeof createLogger>) => void]>([
    ["a message", (log) => log.info(`connecting to ${URL_WITH}`)],
    ["an argument of a message", (log) => log.info("connecting to %s", URL_WITH)],
    ["a field", (log) => log.info({ target: URL_WITH }, "x")],
    ["a deep field", (log) => log.info({ a: { b: { c: { d: { e: { f: [URL_WITH] } } } } } }, "x")],
    ["an error", (log) => log.error({ err: new Error(`no route to ${URL_WITH}`) }, "x")],
    ["an error's cause", (log) => log.error({ err: new Error("x", { cause: new Error(URL_WITH) }) }, "x")],
    ["a bare error", (log) => log.error(new Error(URL_WITH))],
    ["a child's bindings", (log) => log.child({ target: URL_WITH }).info("x")],
    ["a field named password", (log) => log.info({ password: "hunter2", login: { password: "hunter2" } }, "x")],
    ["a field named token", (log) => log.info({ token: "hunter2", api: { token: "hunter2" } }, "x")],
    ["a header", (log) => log.info({ headers: { authorization: "Bearer hunter2" } }, "x")],
  ])("shows no password in %s", (_, write) => {
    const { lines, log } = capture();
    write(log);
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toContain("hunter2");
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ name: "test" });
  });

  test("9.C12 of an error that a stranger made as long as they liked, its beginning", () => {
    const { lines, log } = capture();
    log.error({ err: new Error("x".repeat(1_000_000), { cause: new Error("y".repeat(1_000_000)) }) }, "failed");
    expect(lines.join("").length).toBeLessThan(100_000);
  });

  test("stays one JSON object a line, whatever is logged", () => {
    const parts = fc.array(
      fc.constantFrom("redis://", "u", ":", "p", "@", "h", "/", '"', "\\", "\n", " ", "?password=", "x"),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(parts, parts, (a, b) => {
        const { lines, log } = capture();
        log.info({ a: a.join(""), b: b.join("") }, "x");
        expect(Object.keys(JSON.parse(lines[0] ?? "") as object)).toEqual([
          "level",
          "time",
          "pid",
          "hostname",
          "name",
          "a",
          "b",
          "msg",
        ]);
      }),
      { numRuns: 1000 },
    );
  });

  test("keeps to its level, and a silent one to nothing", () => {
    const { lines, log } = capture();
    log.debug("x");
    expect(lines).toEqual([]);
    expect(silentLogger().isLevelEnabled("fatal")).toBe(false);
  });
});

test.each([
  [URL_WITH, "postgresql://ann:***@db.example.org:5432/shop"],
  ["redis://:hunter2@localhost", "redis://:***@localhost"],
  ["rediss://default:p%40ss@h:6380/0", "rediss://default:***@h:6380/0"],
  ["postgres://u:p@ss@h/db", "postgres://u:***@h/db"],
  ["postgres://u:p/ss@h/db", "postgres://u:***@h/db"],
  ["two: a://u:1@h b://u:2@h.", "two: a://u:***@h b://u:***@h."],
  ["redis://:a@h1:6379,redis://:b@h2:6379", "redis://:***@h1:6379,redis://:***@h2:6379"],
  ["postgres://u@h/db?password=x&sslmode=require", "postgres://u@h/db?password=***&sslmode=require"],
  ["postgres://u@h/db?sslmode=require&sslpassword=x", "postgres://u@h/db?sslmode=require&sslpassword=***"],
  ["postgresql://u@h:5432/db", "postgresql://u@h:5432/db"],
  ["http://127.0.0.1:3000/queues", "http://127.0.0.1:3000/queues"],
  ['{"a":"http://h:80","b":"ann@example.org"}', '{"a":"http://h:80","b":"ann@example.org"}'],
  ["sftp://ann@host:22/srv, mail to ann@example.org", "sftp://ann@host:22/srv, mail to ann@example.org"],
  ["s3://bucket/prefix", "s3://bucket/prefix"],
])("hidePasswords(%j)", (text, expected) => {
  expect(hidePasswords(text)).toBe(expected);
});
