import { inflateSync } from "node:zlib";
import { sha256Hex, TrivaultError } from "@trivault/core";
import { describe, expect, test } from "@jest/globals";
import { armor, Decrypter } from "age-encryption";
import * as vectors from "cctv-age";
import { AgeError, type AgeProblem } from "./age-error.ts";
import { headerLength } from "./header.ts";
import { openerOn } from "./opener.ts";
import { NONCE, SEALED_CHUNK, TAG } from "./stream.ts";
import { createSegmentThread, type SegmentThread } from "./thread.ts";

/**
 * The official vectors (https://c2sp.org/CCTV/age). All of them run through what opens the segments of a restore: 'armored' ones after age-encryption
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
const SHA256_OF_NOTHING = sha256Hex(new Uint8Array(0));

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
  readonly payload: string;
}

/** As a restore opens a segment whose manifest lists just these bytes. */
async function read(thread: SegmentThread, { file, armored, decrypter, payload }: Vector): Promise<Outcome> {
  const nothing = (problem: string): Outcome => ({ problem, payload: SHA256_OF_NOTHING });
  let bytes = file;
  if (armored) {
    try {
      bytes = armor.decode(Buffer.from(file).toString("latin1"));
    } catch {
      return nothing("armor");
    }
  }
  const segment = {
    name: "data-000001.zst.age",
    size: bytes.length,
    sha256: sha256Hex(bytes),
    plainSize: plainSizeOf(bytes),
    ...(payload && { plainSha256: payload }),
  };
  try {
    const plain = await openerOn(thread, decrypter).open(new Uint8Array(bytes), segment);
    return { problem: "success", payload: sha256Hex(plain) };
  } catch (error) {
    if (!(error instanceof TrivaultError)) throw error;
    if (error.cause instanceof AgeError) return nothing(error.cause.problem);
    return nothing(/encrypted chunk \d+ is not authentic/.test(error.message) ? "payload" : error.message);
  }
}

/** What the chunks that are there can hold. */
function plainSizeOf(bytes: Uint8Array): number {
  const sealed = bytes.length - (headerLength(bytes) ?? 0) - NONCE;
  return Math.max(0, sealed - Math.ceil(sealed / SEALED_CHUNK) * TAG);
}

describe("C2SP vectors", () => {
  const all = Object.entries(vectors).filter(([name]) => name !== "default");

  test("all 143 are there", () => expect(all).toHaveLength(143));

  test("each is opened or refused as it should be, and nothing comes of one that is refused", async () => {
    const thread = createSegmentThread();
    const wrong: string[] = [];
    for (const [name, bytes] of all) {
      const vector = parseVector(bytes);
      const { problem, payload } = await read(thread, vector);
      if (problem !== EXPECTED[vector.expect]) wrong.push(`${name}: ${vector.expect} expected, ${problem} found`);
      const expected = problem === "success" ? (vector.payload ?? SHA256_OF_NOTHING) : SHA256_OF_NOTHING;
      if (payload !== expected) wrong.push(`${name}: other bytes opened`);
    }
    await thread.close();
    expect(wrong).toEqual([]);
  }, 60_000);
});
