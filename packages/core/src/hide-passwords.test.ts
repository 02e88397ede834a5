import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { messageOf } from "./errors.ts";
import { hidePasswords } from "./hide-passwords.ts";

/** What it was first, which says what it hides; its work is the square of the text's length. */
function asExpressions(text: string): string {
  return text
    .replaceAll(/([a-z][a-z0-9+.-]*:\/\/[^\s:/@"\\]*:)(?:(?:[^\s/"\\]|\\.)+|(?:[^\s@"\\]|\\.)+)@/gi, "$1***@")
    .replaceAll(/([?&](?:ssl)?password=)(?:[^\s&"\\]|\\.)+/gi, "$1***");
}

test("9.C12 it hides what the expressions hid", () => {
  const words = [
    "redis://",
    "://",
    "u",
    ":",
    "p",
    "@",
    "h",
    "/",
    '"',
    "\\",
    "\n",
    "?password=",
    "x",
    "1",
    "+",
    ".",
    "é",
    "\u00A0",
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...words), { maxLength: 14 }), (parts) => {
      expect(hidePasswords(parts.join(""))).toBe(asExpressions(parts.join("")));
    }),
    { numRuns: 3_000 },
  );
});

test.each([
  "a",
  "a://x:",
  "a://x:@",
  "://",
  "1://",
  "a://a:\\",
  "a://:p/",
  "-----BEGIN PRIVATE KEY-----",
  "AGE-SECRET-KEY-",
])("9.C12 eight times %j costs about eight times the time", (pump) => {
  const cost = (length: number) => {
    const text = pump.repeat(Math.ceil(length / pump.length));
    const before = process.cpuUsage();
    hidePasswords(text);
    const { user, system } = process.cpuUsage(before);
    return user + system;
  };
  cost(10_000); // compiled
  const short = Math.min(cost(10_000), cost(10_000));
  expect(Math.min(cost(80_000), cost(80_000))).toBeLessThan(Math.max(40 * short, 200_000));
});

test("9.C17 private keys are hidden, whole and within JSON", () => {
  const pem = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk=\nQUJD\n-----END OPENSSH PRIVATE KEY-----\n";
  for (const text of [pem, JSON.stringify({ key: pem }), `the key ${pem.replaceAll("\n", " ")}`]) {
    expect(hidePasswords(text)).not.toMatch(/b3Blb|QUJD/);
  }
  expect(Object.keys(JSON.parse(hidePasswords(JSON.stringify({ key: pem, next: 1 }))) as object)).toEqual([
    "key",
    "next",
  ]);
  expect(hidePasswords("identity AGE-SECRET-KEY-1QQQQ is bad")).toBe("identity AGE-SECRET-KEY-*** is bad");
  expect(hidePasswords("-----BEGIN CERTIFICATE-----\nQUJD")).toContain("QUJD");
});

test("9.C12 what somebody else said is cut before anybody works on it", () => {
  const said = messageOf(new Error("x".repeat(1_000_000)));
  expect(said).toMatch(/^x{4000}… \(996000 characters more\)$/);
  expect(messageOf("y".repeat(1_000_000)).length).toBeLessThan(4_100);
});
