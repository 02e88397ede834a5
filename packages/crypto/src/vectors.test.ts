import { createHash } from "node:crypto";
import { inflateSync } from "node:zlib";
import { describe, expect, test } from "@jest/globals";
import { armor, Decrypter } from "age-encryption";
import * as vectors from "cctv-age";
import { AgeError, type AgeProblem } from "./age-error.ts";
import { openAge } from "./age.ts";

/**
 * The official vectors (https://c2sp.org/CCTV/age). All of them run through our reader: 'armored' ones after age-encryption
 * has taken the armor off, which we never write; those with a passphrase by age-encryption's own scrypt identity.
 */
const EXPECTED: Record<string, AgeProblem | "armor" | "success"> = {
  success: "success",
  "no match": "no-match",
  "HMAC failure": "mac",
  "header failure": "header",
  "payload failure": "payload",
  "armor failure": "armor",
};
const SHA256_OF_NOTHING = createHash("sha256").digest("hex");

interface Vector {
  readonly expect: string;
  readonly payload: string | undefined;
  readonly armored: boolean;
  readonly decrypter: Decrypter;
  readonly file: Uint8Array;
}

function parseVector(bytes: Uint8Array): Vector {
  const text = Buffer.from(bytes);
  const end = text.indexOf("\n\n");
  const values = (wanted: string): string[] =>
    text
      .subarray(0, end)
      .toString()
      .split("\n")
      .filter((line) => line.startsWith(`${wanted}: `))
      .map((line) => line.slice(wanted.length + 2));
  const decrypter = new Decrypter();
  for (const identity of values("identity")) decrypter.addIdentity(identity);
  for (const passphrase of values("passphrase")) decrypter.addPassphrase(passphrase);
  const [compressed] = values("compressed");
  const file = text.subarray(end + 2);
  return {
    expect: values("expect")[0] ?? "",
    payload: values("payload")[0],
    armored: values("armored")[0] === "yes",
    decrypter,
    file: compressed === "zlib" ? inflateSync(file) : file,
  };
}

interface Outcome {
  readonly problem: string;
  readonly released: string;
}

async function read({ file, armored, decrypter }: Vector, size: number): Promise<Outcome> {
  const released = createHash("sha256");
  let bytes = file;
  if (armored) {
    try {
      bytes = armor.decode(Buffer.from(file).toString("latin1"));
    } catch {
      return { problem: "armor", released: SHA256_OF_NOTHING };
    }
  }
  try {
    for await (const plain of openAge(cut(bytes, size), decrypter)) released.update(plain);
    return { problem: "success", released: released.digest("hex") };
  } catch (error) {
    if (!(error instanceof AgeError)) throw error;
    return { problem: error.problem, released: released.digest("hex") };
  }
}

/**
 * Single bytes take a minute over the three vectors of 16 MiB: between their first and last 200,000 bytes they go by 61,
 * which divides no chunk. All others go by single bytes throughout.
 */
function* cut(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let start = 0, step; start < bytes.length; start += step) {
    const between = start > 200_000 && start < bytes.length - 200_000;
    step = between ? Math.max(size, 61) : size;
    yield bytes.subarray(start, start + step);
  }
}

describe("C2SP vectors", () => {
  const all = Object.entries(vectors).filter(([name]) => name !== "default");

  test("all 143 are there", () => expect(all).toHaveLength(143));

  test.each([
    ["whole", Infinity],
    ["streamed", 1000],
    ["byte by byte", 1],
  ])(
    "%s",
    async (_, size) => {
      const wrong: string[] = [];
      for (const [name, bytes] of all) {
        const vector = parseVector(bytes);
        const { problem, released } = await read(vector, size);
        const payload = vector.payload ?? SHA256_OF_NOTHING;
        if (problem !== EXPECTED[vector.expect]) wrong.push(`${name}: ${vector.expect} expected, ${problem} found`);
        if (released !== payload) wrong.push(`${name}: other bytes released`);
      }
      expect(wrong).toEqual([]);
    },
    60_000,
  );
});
