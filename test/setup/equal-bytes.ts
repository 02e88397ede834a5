import { expect } from "@jest/globals";

/**
 * Jest's setupFilesAfterEnv: bytes are compared as bytes. By itself `toEqual` takes each byte for a property of its own: a
 * second of computing for some hundred KiB, which was a tenth of all the computing of a test run.
 */
expect.addEqualityTesters([
  (a: unknown, b: unknown) => {
    const both = a instanceof Uint8Array && b instanceof Uint8Array && a.constructor === b.constructor;
    return both ? Buffer.compare(a, b) === 0 : undefined;
  },
]);
