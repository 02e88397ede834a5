import { expect, test } from "@jest/globals";
import { anyText } from "@trivault/testkit/any-text";
import fc from "fast-check";
import { oneLine, shorten, shortenBytes } from "./text.ts";

test("what is shortened is as long as allowed, begins like the whole, and breaks no sign", () => {
  fc.assert(
    fc.property(anyText({ maxLength: 60 }), fc.integer({ min: 4, max: 40 }), (text, most) => {
      const short = shorten(text, most);
      expect(short.length).toBeLessThanOrEqual(most);
      expect(short.isWellFormed()).toBe(true);
      if (text.length > most) expect(text.startsWith(short.slice(0, -1))).toBe(true);
      else expect(short).toBe(text);
      const bytes = shortenBytes(text, most);
      expect(Buffer.byteLength(bytes)).toBeLessThanOrEqual(most);
      expect(bytes).not.toMatch(/\uFFFD…$/);
    }),
  );
});

test("one line stays one", () => {
  expect(oneLine("a\r\nBcc: b\u2028c\u0000 d ")).toBe("a Bcc: b c d");
  expect(oneLine("10\u00A0j\t et  plus")).toBe("10\u00A0j et plus");
});
