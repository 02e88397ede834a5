import { describe, expect, test } from "@jest/globals";
import { codeOf, isPermanent, messageOf, TrivaultError } from "./errors.ts";

describe("TrivaultError", () => {
  test("carries its code, its cause, and whether a retry can help", () => {
    const cause = new Error("ENOSPC");
    const error = new TrivaultError("STORE_FULL", "The disk is full: free some space.", { cause });
    expect(error).toMatchObject({ name: "TrivaultError", code: "STORE_FULL", permanent: false, cause });
    expect(error).toBeInstanceOf(Error);
    expect(new TrivaultError("HOST_KEY", "x", { permanent: true }).permanent).toBe(true);
  });

  test("without a cause has none, rather than an undefined one", () => {
    expect("cause" in new TrivaultError("CORRUPT", "x")).toBe(false);
  });
});

test.each([
  [new TrivaultError("CORRUPT", "x", { permanent: true }), true],
  [new TrivaultError("CORRUPT", "x"), false],
  [Object.assign(new Error("x"), { permanent: true }), false],
  [new Error("x"), false],
  [undefined, false],
])("isPermanent(%p) is %p", (error, expected) => {
  expect(isPermanent(error)).toBe(expected);
});

test.each([
  [new TrivaultError("CORRUPT", "x"), "CORRUPT"],
  [Object.assign(new Error("x"), { code: "ENOENT" }), "ENOENT"],
  [{ code: "ECONNRESET" }, "ECONNRESET"],
  [{ code: 42 }, undefined],
  [new Error("x"), undefined],
  ["ENOENT", undefined],
  [null, undefined],
  [undefined, undefined],
])("codeOf(%p) is %p", (error, expected) => {
  expect(codeOf(error)).toBe(expected);
});

test.each([
  [new Error("it broke"), "it broke"],
  [Object.assign(new Error(), { code: "ECONNREFUSED" }), "ECONNREFUSED"],
  [new TypeError(), "TypeError"],
  // What Node gives where a host has several addresses, and none answers.
  [new AggregateError([new Error("no ::1"), new Error("no 127.0.0.1")]), "no ::1; no 127.0.0.1"],
  [new AggregateError([new Error("a")], "all failed"), "all failed"],
  ["text", "text"],
  [null, "null"],
  [undefined, "undefined"],
])("messageOf(%p) is %p", (error, expected) => {
  expect(messageOf(error)).toBe(expected);
});
