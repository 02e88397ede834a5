import { randomBytes } from "node:crypto";
import { beforeAll, describe, expect, test } from "@jest/globals";
import { Decrypter, Encrypter, generateHybridIdentity, identityToRecipient } from "age-encryption";
import fc from "fast-check";
import { decryptAge, decryptAgeStream, encryptAge } from "./age.ts";
import { headerLength } from "./header.ts";
import { generateKeys, type KeyPair } from "./identity-file.ts";
import { CHUNK, NONCE, SEALED_CHUNK, sealedSize } from "./stream.ts";

let keys: KeyPair;
let other: KeyPair;
beforeAll(async () => {
  keys = await generateKeys();
  other = await generateKeys();
});

/** Around the borders of chunks, where mistakes are. */
const plainSizes = fc.oneof(
  fc.nat(300),
  fc.tuple(fc.nat(3), fc.integer({ min: -2, max: 2 })).map(([n, off]) => Math.max(0, n * CHUNK + off)),
);
const RUNS = { numRuns: 40 };

async function* cutAt(bytes: Uint8Array, steps: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let start = 0, i = 0; start < bytes.length; i++) {
    const step = steps[i % steps.length] ?? 1;
    yield bytes.subarray(start, start + step);
    start += step;
  }
}

async function released(cipher: Uint8Array, steps: readonly number[]): Promise<{ plain: Buffer; error: unknown }> {
  const parts: Uint8Array[] = [];
  let error: unknown = null;
  try {
    for await (const part of decryptAgeStream(cutAt(cipher, steps), [keys.identity])) parts.push(part);
  } catch (caught) {
    error = caught;
  }
  return { plain: Buffer.concat(parts), error };
}

describe("round trips", () => {
  test("any size comes back, in whatever pieces it is read", () =>
    fc.assert(
      fc.asyncProperty(
        plainSizes,
        fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1 }),
        async (size, cuts) => {
          const plain = randomBytes(size);
          const cipher = await encryptAge(plain, [other.recipient, keys.recipient]);
          const payload = cipher.length - (headerLength(cipher) ?? 0) - NONCE;
          expect(payload).toBe(sealedSize(size));
          const read = await released(cipher, cuts);
          expect(read.error).toBeNull();
          expect(read.plain.equals(plain)).toBe(true);
        },
      ),
      RUNS,
    ));

  test("age-encryption reads ours, and we read its files", () =>
    fc.assert(
      fc.asyncProperty(plainSizes, async (size) => {
        const plain = randomBytes(size);
        const decrypter = new Decrypter();
        decrypter.addIdentity(keys.identity);
        const theirs = await decrypter.decrypt(await encryptAge(plain, [keys.recipient]));
        expect(Buffer.compare(theirs, plain)).toBe(0);
        const encrypter = new Encrypter();
        encrypter.addRecipient(keys.recipient);
        const ours = await decryptAge(await encrypter.encrypt(plain), [keys.identity]);
        expect(Buffer.compare(ours, plain)).toBe(0);
      }),
      RUNS,
    ));

  test("post-quantum recipients", async () => {
    const identity = await generateHybridIdentity();
    const cipher = await encryptAge(Buffer.from("hybrid"), [await identityToRecipient(identity)]);
    expect(Buffer.from(await decryptAge(cipher, [keys.identity, identity])).toString()).toBe("hybrid");
  });

  test("every file has its own key and nonce: the same plaintext never looks the same", async () => {
    const payload = async () => (await encryptAge(Buffer.alloc(1000), [keys.recipient])).subarray(-1016);
    expect(Buffer.compare(await payload(), await payload())).not.toBe(0);
  });
});

describe("what was changed is refused", () => {
  const sizes = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 7];

  test.each(sizes)("%i bytes: a flipped bit anywhere", async (size) => {
    const plain = randomBytes(size);
    const cipher = await encryptAge(plain, [keys.recipient]);
    const places = [
      ...Array.from({ length: 20 }, () => Math.floor(Math.random() * cipher.length)),
      0,
      cipher.length - 1,
    ];
    for (const place of places) {
      const bad = Buffer.from(cipher);
      bad[place] = (bad[place] ?? 0) ^ (1 << (place % 8));
      const read = await released(bad, [10_000]);
      // A flip in the recipient's stanza may make it look like somebody else's.
      expect(read.error).toHaveProperty("code", expect.stringMatching(/^(?:CORRUPT|DECRYPT_FAILED)$/));
      expect(plain.subarray(0, read.plain.length).equals(read.plain)).toBe(true);
    }
  });

  test.each(sizes)("%i bytes: cut short, or with something after the end", async (size) => {
    const plain = randomBytes(size);
    const cipher = await encryptAge(plain, [keys.recipient]);
    const cuts = [1, 16, 17, SEALED_CHUNK - 1, SEALED_CHUNK, SEALED_CHUNK + 1].filter((cut) => cut < cipher.length);
    const bad = [
      ...cuts.map((cut) => cipher.subarray(0, cipher.length - cut)),
      Buffer.alloc(0),
      cipher.subarray(0, 30),
      ...cuts.map((more) => Buffer.concat([cipher, randomBytes(more)])),
      Buffer.concat([cipher, cipher]),
    ];
    for (const file of bad) {
      const read = await released(file, [7_000]);
      expect(read.error).toMatchObject({ code: "CORRUPT", permanent: true });
      expect(plain.subarray(0, read.plain.length).equals(read.plain)).toBe(true);
    }
  });

  test("chunks in another order, left out, or twice", async () => {
    const cipher = await encryptAge(randomBytes(3 * CHUNK), [keys.recipient]);
    const start = cipher.length - 3 * SEALED_CHUNK;
    const chunks = [0, 1, 2].map((i) => cipher.subarray(start + i * SEALED_CHUNK, start + (i + 1) * SEALED_CHUNK));
    for (const order of [[1, 0, 2], [0, 2], [0, 0, 1, 2], [0, 1], [2], []]) {
      const file = Buffer.concat([cipher.subarray(0, start), ...order.map((i) => chunks[i] ?? Buffer.alloc(0))]);
      await expect(decryptAge(file, [keys.identity])).rejects.toMatchObject({ code: "CORRUPT" });
    }
  });

  test("a file without an end of its header does not fill the memory", async () => {
    async function* endless() {
      yield Buffer.from("age-encryption.org/v1\n");
      for (;;) yield Buffer.from("-> X25519 abc\n".repeat(1000));
    }
    const read = Array.fromAsync(decryptAgeStream(endless(), [keys.identity]));
    await expect(read).rejects.toMatchObject({ code: "CORRUPT" });
  });
});

describe("identities", () => {
  test("one that does not fit: DECRYPT_FAILED, and what to do", async () => {
    const cipher = await encryptAge(Buffer.from("x"), [keys.recipient]);
    const failure = decryptAge(cipher, [other.identity]);
    await expect(failure).rejects.toMatchObject({ code: "DECRYPT_FAILED", permanent: true });
    await expect(failure).rejects.toThrow(/BACKUP_IDENTITY_FILE/);
  });

  test("a malformed one is not repeated in the message", async () => {
    const cipher = await encryptAge(Buffer.from("x"), [keys.recipient]);
    const cut = keys.identity.slice(0, -1);
    const failure = await decryptAge(cipher, [cut]).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "KEY_FILE", permanent: true });
    expect(String(failure)).not.toContain(cut.slice(0, 30));
  });

  test("no recipient at all is refused: nobody could ever open it", async () => {
    await expect(encryptAge(Buffer.from("x"), [])).rejects.toThrow(RangeError);
  });
});
