import { type Segment, sha256Hex } from "@trivault/core";
import { randomBytes } from "node:crypto";
import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Decrypter } from "age-encryption";
import { sealBytes, sealWith } from "../test/seal-bytes.ts";
import { generateKeys, type KeyPair } from "./identity-file.ts";
import { createOpener, type Opener } from "./opener.ts";
import { createSealer, type Sealer } from "./sealer.ts";

const MIB = 1024 * 1024;
const SEGMENT = 4 * MIB;
const NAME = "data-000001.zst.age";
const SIZES = [0, 1, 65_535, 65_536, 65_537, 4 * 65_536, 4 * 65_536 + 1, SEGMENT - 1, SEGMENT];

let folder: string;
let keys: KeyPair;
let sealer: Sealer;
let opener: Opener;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "trivault-crypto-"));
  keys = await generateKeys();
  sealer = createSealer({ recipients: [keys.recipient], segmentSize: SEGMENT });
  opener = createOpener([keys.identity]);
});
afterAll(async () => {
  await Promise.all([sealer.close(), opener.close()]);
  await rm(folder, { recursive: true });
});

async function fileOf(plain: Uint8Array): Promise<string> {
  const file = join(folder, randomBytes(8).toString("hex"));
  await writeFile(file, plain);
  return file;
}

/** A sealed segment, and what a manifest lists of it. */
async function sealed(plain: Uint8Array): Promise<{ bytes: Uint8Array; segment: Segment }> {
  const { bytes, ...listed } = await sealWith(sealer, plain);
  return { bytes, segment: { name: NAME, ...listed } };
}

describe("sealer", () => {
  test.each(SIZES)("%i bytes: an age file, with sizes and a hash that are true", async (size) => {
    const plain = randomBytes(size);
    const { bytes, ...listed } = await sealWith(sealer, plain);
    expect(listed).toEqual({ size: bytes.length, sha256: sha256Hex(bytes), plainSize: size });
    const decrypter = new Decrypter();
    decrypter.addIdentity(keys.identity);
    expect(Buffer.compare(await decrypter.decrypt(bytes), plain)).toBe(0);
  });

  test.each([0, 1, 65_536, SEGMENT])("%i bytes without recipients: as they are", async (size) => {
    const plain = randomBytes(size);
    const { bytes, ...listed } = await sealBytes(plain, null);
    expect(Buffer.compare(bytes, plain)).toBe(0);
    expect(listed).toEqual({ size, plainSize: size, sha256: sha256Hex(plain) });
  });

  test("many at a time, each into its own file", async () => {
    const plains = Array.from({ length: 7 }, (_, index) => randomBytes(100_000 + index));
    const all = await Promise.all(plains.map((plain) => sealed(plain)));
    for (const [index, { bytes, segment }] of all.entries()) {
      expect(Buffer.compare(await opener.open(bytes, segment), plains[index] ?? new Uint8Array(0))).toBe(0);
    }
  });

  test("an aborted call, a missing file and one that is too large are in nobody's way", async () => {
    const good = await fileOf(randomBytes(10));
    const large = await fileOf(Buffer.alloc(SEGMENT + 1));
    await using target = await open(join(folder, "target"), "w");
    const { fd } = target;
    for (let i = 0; i < 3; i++) {
      await expect(sealer.seal(good, fd, AbortSignal.abort())).rejects.toMatchObject({ code: "CANCELLED" });
      await expect(sealer.seal(join(folder, "none"), fd)).rejects.toMatchObject({
        code: "NOT_FOUND",
        permanent: false,
      });
      await expect(sealer.seal(large, fd)).rejects.toMatchObject({ code: "INPUT_INVALID", permanent: true });
      await expect(sealer.seal(folder, fd)).rejects.toMatchObject({ code: "STORE_FAILED" });
      const controller = new AbortController();
      const late = sealer.seal(good, fd, controller.signal);
      setImmediate(() => controller.abort());
      await late.catch((error: unknown) => expect(error).toMatchObject({ code: "CANCELLED" }));
    }
    expect(await sealer.seal(good, fd)).toMatchObject({ plainSize: 10 });
  });

  test("a target that cannot be written: the file system's own error, which the store explains", async () => {
    const file = await fileOf(randomBytes(10));
    await using full = await open("/dev/full", "w");
    await expect(sealer.seal(file, full.fd)).rejects.toMatchObject({ code: "ENOSPC" });
    await using readOnly = await open(file, "r");
    await expect(sealer.seal(file, readOnly.fd)).rejects.toMatchObject({ code: "EBADF" });
  });

  test("closing ends those who wait", async () => {
    const short = createSealer({ recipients: [keys.recipient], segmentSize: SEGMENT });
    const file = await fileOf(randomBytes(10));
    await using target = await open(join(folder, "closed"), "w");
    const all = [1, 2, 3].map(() => short.seal(file, target.fd));
    const outcome = Promise.allSettled(all);
    await short.close();
    for (const { status, ...rest } of await outcome) {
      if (status === "rejected") expect(rest).toMatchObject({ reason: { code: "CANCELLED" } });
    }
    await expect(short.seal(file, target.fd)).rejects.toMatchObject({ code: "CANCELLED" });
  });
});

describe("opener", () => {
  test.each(SIZES)("%i bytes come back", async (size) => {
    const plain = randomBytes(size);
    const { bytes, segment } = await sealed(plain);
    expect(Buffer.compare(await opener.open(bytes, segment), plain)).toBe(0);
  });

  test("opens in the memory it was given, and copies where others have data in it", async () => {
    const plain = randomBytes(SEGMENT);
    const { bytes, segment } = await sealed(plain);
    const shared = new Uint8Array(3 * bytes.length).fill(7);
    shared.set(bytes, 5);
    const opened = await opener.open(shared.subarray(5, 5 + bytes.length), segment);
    expect(Buffer.compare(opened, plain)).toBe(0);
    expect([shared[0], shared.at(-1)]).toEqual([7, 7]);
    await opener.open(bytes, segment);
    expect(bytes.length).toBe(0);
    // Node's own pool of small buffers
    const small = await sealed(Buffer.from("small"));
    const pooled = Buffer.from(small.bytes);
    expect(Buffer.from(await opener.open(pooled, small.segment)).toString()).toBe("small");
    expect(pooled.length).toBe(small.segment.size);
  });

  test("a segment that is not encrypted is only checked", async () => {
    const plain = randomBytes(1000);
    const reader = createOpener(null);
    const { bytes: _, ...listed } = await sealBytes(plain, null);
    const segment = { name: "data-000001.zst", ...listed };
    expect(Buffer.compare(await reader.open(new Uint8Array(plain), segment), plain)).toBe(0);
    await expect(reader.open(randomBytes(1000), segment)).rejects.toMatchObject({ code: "CORRUPT" });
    await reader.close();
  });

  test("flipped, cut, lengthened or swapped: CORRUPT, naming the segment", async () => {
    const { bytes, segment } = await sealed(randomBytes(200_000));
    const swapped = await sealed(randomBytes(200_000));
    const flipped = (place: number) => {
      const bad = new Uint8Array(bytes);
      bad[place] = (bad[place] ?? 0) ^ 1;
      return bad;
    };
    const bad = [
      flipped(0), // in the header: still not DECRYPT_FAILED, which would send the operator after the wrong thing
      flipped(60),
      flipped(100_000),
      flipped(bytes.length - 1),
      bytes.slice(0, -1),
      new Uint8Array(0),
      new Uint8Array([...bytes, 0]),
      swapped.bytes,
      new Uint8Array(bytes.length),
    ];
    for (const file of bad) {
      const failure = opener.open(file, segment);
      await expect(failure).rejects.toMatchObject({ code: "CORRUPT", permanent: true });
      await expect(failure).rejects.toThrow(NAME);
    }
    expect(await opener.open(bytes, segment)).toHaveLength(200_000);
  });

  test("bytes that fit the manifest but are no intact age file: CORRUPT", async () => {
    const { bytes, segment } = await sealed(randomBytes(200_000));
    for (const place of [10, bytes.length - 150_000, bytes.length - 1]) {
      const bad = new Uint8Array(bytes);
      bad[place] = (bad[place] ?? 0) ^ 1;
      const listed = { ...segment, sha256: sha256Hex(bad) };
      await expect(opener.open(bad, listed)).rejects.toMatchObject({ code: "CORRUPT", permanent: true });
    }
    for (const length of [0, 20, bytes.length - 1, bytes.length - 100_000]) {
      const bad = bytes.slice(0, length);
      const listed = { ...segment, size: length, sha256: sha256Hex(bad) };
      await expect(opener.open(bad, listed)).rejects.toMatchObject({ code: "CORRUPT", permanent: true });
    }
  });

  test("plaintext that the manifest lists otherwise: CORRUPT", async () => {
    const { bytes, segment } = await sealed(randomBytes(1000));
    for (const wrong of [{ plainSize: 999 }, { plainSha256: sha256Hex(Buffer.alloc(1)) }]) {
      const failure = opener.open(new Uint8Array(bytes), { ...segment, ...wrong });
      await expect(failure).rejects.toMatchObject({ code: "CORRUPT" });
    }
  });

  test("a backup of before, which lists the plaintext's hash as well", async () => {
    const plain = randomBytes(200_000);
    const { bytes, segment } = await sealed(plain);
    expect(Buffer.compare(await opener.open(bytes, { ...segment, plainSha256: sha256Hex(plain) }), plain)).toBe(0);
    const reader = createOpener(null);
    const asItIs = { name: "data-000001.zst", size: plain.length, sha256: sha256Hex(plain), plainSize: plain.length };
    const listed = { ...asItIs, plainSha256: asItIs.sha256 };
    expect(Buffer.compare(await reader.open(new Uint8Array(plain), listed), plain)).toBe(0);
    const wrong = { ...listed, plainSha256: sha256Hex(Buffer.alloc(1)) };
    await expect(reader.open(new Uint8Array(plain), wrong)).rejects.toMatchObject({ code: "CORRUPT" });
    await reader.close();
  });

  test("no identity, or one that does not fit", async () => {
    const { bytes, segment } = await sealed(randomBytes(1000));
    const none = createOpener(null);
    await expect(none.open(new Uint8Array(bytes), segment)).rejects.toMatchObject({
      code: "KEY_FILE",
      permanent: true,
    });
    const wrong = createOpener([(await generateKeys()).identity]);
    const failure = wrong.open(bytes, segment);
    await expect(failure).rejects.toMatchObject({ code: "DECRYPT_FAILED", permanent: true });
    await expect(failure).rejects.toThrow(NAME);
    await Promise.all([none.close(), wrong.close()]);
  });
});
