import { sha256Hex } from "@trivault/core";
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Decrypter, Encrypter, generateHybridIdentity, identityToRecipient } from "age-encryption";
import fc from "fast-check";
import { sealBytes, sealWith } from "../test/seal-bytes.ts";
import { headerLength } from "./header.ts";
import { generateKeys, type KeyPair } from "./identity-file.ts";
import { createOpener, type Opener } from "./opener.ts";
import { createSealer, type Sealer } from "./sealer.ts";
import { CHUNK, NONCE, SEALED_CHUNK, sealedSize } from "./stream.ts";

let keys: KeyPair;
let other: KeyPair;
let sealer: Sealer;
let opener: Opener;
beforeAll(async () => {
  keys = await generateKeys();
  other = await generateKeys();
  sealer = createSealer({ recipients: [other.recipient, keys.recipient], segmentSize: 4 * CHUNK });
  opener = createOpener([keys.identity]);
});
afterAll(async () => Promise.all([sealer.close(), opener.close()]));

/** Around the borders of chunks, where mistakes are. */
const plainSizes = fc.oneof(
  fc.nat(300),
  fc.tuple(fc.nat(3), fc.integer({ min: -2, max: 2 })).map(([n, off]) => Math.max(0, n * CHUNK + off)),
);
const RUNS = { numRuns: 40 };

/** Opens a file that a manifest lists just as it is, so that only age's own checks are left. */
function openListed(cipher: Uint8Array, plainSize: number, by = opener): Promise<Uint8Array> {
  const listed = { name: "data-000001.zst.age", size: cipher.length, sha256: sha256Hex(cipher), plainSize };
  return by.open(new Uint8Array(cipher), listed);
}

describe("round trips", () => {
  test("any size comes back", () =>
    fc.assert(
      fc.asyncProperty(plainSizes, async (size) => {
        const plain = randomBytes(size);
        const { bytes } = await sealWith(sealer, plain);
        expect(bytes.length - (headerLength(bytes) ?? 0) - NONCE).toBe(sealedSize(size));
        expect(Buffer.compare(await openListed(bytes, size), plain)).toBe(0);
      }),
      RUNS,
    ));

  test("age-encryption reads ours, and we read its files", () =>
    fc.assert(
      fc.asyncProperty(plainSizes, async (size) => {
        const plain = randomBytes(size);
        const decrypter = new Decrypter();
        decrypter.addIdentity(keys.identity);
        const theirs = await decrypter.decrypt((await sealWith(sealer, plain)).bytes);
        expect(Buffer.compare(theirs, plain)).toBe(0);
        const encrypter = new Encrypter();
        encrypter.addRecipient(keys.recipient);
        const ours = await openListed(await encrypter.encrypt(plain), size);
        expect(Buffer.compare(ours, plain)).toBe(0);
      }),
      RUNS,
    ));

  test("post-quantum recipients", async () => {
    const identity = await generateHybridIdentity();
    const { bytes } = await sealBytes(Buffer.from("hybrid"), [await identityToRecipient(identity)]);
    const both = createOpener([keys.identity, identity]);
    expect(Buffer.from(await openListed(bytes, 6, both)).toString()).toBe("hybrid");
    await both.close();
  });

  test("every file has its own key and nonce: the same plaintext never looks the same", async () => {
    const payload = async () => (await sealWith(sealer, Buffer.alloc(1000))).bytes.subarray(-1016);
    expect(Buffer.compare(await payload(), await payload())).not.toBe(0);
  });
});

describe("what was changed is refused, also where the manifest lists it so", () => {
  const sizes = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 7];

  test.each(sizes)("%i bytes: a flipped bit anywhere", async (size) => {
    const { bytes } = await sealWith(sealer, randomBytes(size));
    const places = [...Array.from({ length: 20 }, () => Math.floor(Math.random() * bytes.length)), 0, bytes.length - 1];
    for (const place of places) {
      const bad = new Uint8Array(bytes);
      bad[place] = (bad[place] ?? 0) ^ (1 << (place % 8));
      // A flip in the recipient's stanza may make it look like somebody else's.
      const code = expect.stringMatching(/^(?:CORRUPT|DECRYPT_FAILED)$/);
      await expect(openListed(bad, size)).rejects.toMatchObject({ code, permanent: true });
    }
  });

  test.each(sizes)("%i bytes: cut short, or with something after the end", async (size) => {
    const { bytes } = await sealWith(sealer, randomBytes(size));
    const cuts = [1, 16, 17, SEALED_CHUNK - 1, SEALED_CHUNK, SEALED_CHUNK + 1].filter((cut) => cut < bytes.length);
    const bad = [
      ...cuts.map((cut) => bytes.subarray(0, bytes.length - cut)),
      new Uint8Array(0),
      bytes.subarray(0, 30),
      ...cuts.map((more) => Buffer.concat([bytes, randomBytes(more)])),
      Buffer.concat([bytes, bytes]),
    ];
    for (const file of bad) {
      // Whatever its size says that it holds.
      for (const plainSize of [size, Math.max(0, size + file.length - bytes.length)]) {
        await expect(openListed(file, plainSize)).rejects.toMatchObject({ code: "CORRUPT", permanent: true });
      }
    }
  });

  test("chunks in another order, left out, or twice", async () => {
    const { bytes } = await sealWith(sealer, randomBytes(3 * CHUNK));
    const start = bytes.length - 3 * SEALED_CHUNK;
    const chunks = [0, 1, 2].map((i) => bytes.subarray(start + i * SEALED_CHUNK, start + (i + 1) * SEALED_CHUNK));
    for (const order of [[1, 0, 2], [0, 2], [0, 0, 1, 2], [0, 1], [2], []]) {
      const file = Buffer.concat([bytes.subarray(0, start), ...order.map((i) => chunks[i] ?? Buffer.alloc(0))]);
      await expect(openListed(file, order.length * CHUNK)).rejects.toMatchObject({ code: "CORRUPT" });
    }
  });

  test("a header without an end, however long", async () => {
    const file = Buffer.from(`age-encryption.org/v1\n${"-> X25519 abc\n".repeat(100_000)}`);
    await expect(openListed(file, 0)).rejects.toMatchObject({ code: "CORRUPT" });
  });
});

describe("identities", () => {
  test("one that does not fit: DECRYPT_FAILED, and what to do", async () => {
    const { bytes } = await sealBytes(Buffer.from("x"), [keys.recipient]);
    const stranger = createOpener([other.identity]);
    const failure = openListed(bytes, 1, stranger);
    await expect(failure).rejects.toMatchObject({ code: "DECRYPT_FAILED", permanent: true });
    await expect(failure).rejects.toThrow(/BACKUP_IDENTITY_FILE/);
    await stranger.close();
  });

  test("a malformed one is not repeated in the message", () => {
    const cut = keys.identity.slice(0, -1);
    let failure: unknown;
    try {
      createOpener([cut]);
    } catch (error) {
      failure = error;
    }
    expect(failure).toMatchObject({ code: "KEY_FILE", permanent: true });
    expect(String(failure)).not.toContain(cut.slice(0, 30));
  });

  test("no recipient at all is refused: nobody could ever open it", async () => {
    await expect(sealBytes(Buffer.from("x"), [])).rejects.toThrow(RangeError);
  });
});
