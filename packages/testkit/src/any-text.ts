import fc from "fast-check";

/** Names that every object has: where one is used as a key by mistake, it shows. */
const OF_ALL_OBJECTS = ["__proto__", "constructor", "hasOwnProperty", "toString", "valueOf", "length"];

/**
 * Any well-formed Unicode text, its length in code points. What fast-check's `string({ unit: "binary" })` makes, which lists
 * all million code points before the first of them (two seconds of computing in each suite).
 */
export function anyText({ minLength = 0, maxLength = 30 }: { minLength?: number; maxLength?: number } = {}) {
  const codePoint = fc.oneof(
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 0x7f }) },
    { weight: 4, arbitrary: fc.integer({ min: 0, max: 0x10_ff_ff }).filter((n) => n < 0xd8_00 || n > 0xdf_ff) },
  );
  const known = OF_ALL_OBJECTS.filter(({ length }) => length >= minLength && length <= maxLength);
  return fc.oneof(
    { weight: 9, arbitrary: fc.array(codePoint, { minLength, maxLength }).map((all) => String.fromCodePoint(...all)) },
    { weight: 1, arbitrary: fc.constantFrom(...known) },
  );
}
