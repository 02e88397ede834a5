import { sha256Hex } from "@trivault/core";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { decryptAge } from "./age.ts";
import { generateKeys, type KeyPair } from "./identity-file.ts";
import { createOpener, type Opener } from "./opener.ts";
import { createSealer, sealBytes, type SealedBytes, type Sealer } from "./sealer.ts";

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

const segmentOf = ({ size, sha256, plainSize, plainSha256 }: SealedBytes, name = NAME) => ({
  name,
  size,
  sha256,
  plainSize,
  plainSha256,
});

/** A sealed segment whose bytes stay as they are. */
async function sealed(plain: Uint8Array): Promise<{ bytes: Uint8Array; segment: ReturnType<typeof segmentOf> }> {
  const result = await sealer.seal(await fileOf(plain));
  const bytes = new Uint8Array(result.bytes);
  result.release();
  return { bytes, segment: segmentOf(result) };
}

describe("sealer", () => {
  test.each(SIZES)("%i bytes: an age file, with sizes and hashes that are true", async (size) => {
    const plain = randomBytes(size);
    const result = await sealer.seal(await fileOf(plain));
    expect(result.size).toBe(result.bytes.length);
    expect(result.sha256).toBe(createHash("sha256").update(result.bytes).digest("hex"));
    expect(result.plainSize).toBe(size);
    expect(result.plainSha256).toBe(createHash("sha256").update(plain).digest("hex"));
    expect(Buffer.compare(await decryptAge(result.bytes, [keys.identity]), plain)).toBe(0);
    result.release();
  });

  test.each([0, 1, 65_536, SEGMENT])("%i bytes without recipients: as they are", async (size) => {
    const plaintext = createSealer({ recipients: null, segmentSize: SEGMENT });
    const plain = randomBytes(size);
    const result = await plaintext.seal(await fileOf(plain));
    expect(Buffer.compare(result.bytes, plain)).toBe(0);
    expect(result).toMatchObject({ size, plainSize: size, sha256: sha256Hex(plain), plainSha256: sha256Hex(plain) });
    await plaintext.close();
  });

  test("two segments may be out, a third waits for a release", async () => {
    const file = await fileOf(randomBytes(100_000));
    const [first, second] = await Promise.all([sealer.seal(file), sealer.seal(file)]);
    let third: string = "waiting";
    const sealing = sealer.seal(file).then((result) => {
      third = "done";
      return result;
    });
    const aborted = sealer.seal(file, AbortSignal.timeout(20));
    await expect(aborted).rejects.toMatchObject({ code: "CANCELLED" });
    expect(third).toBe("waiting");
    const before = new Uint8Array(second.bytes);
    first.release();
    first.release(); // a second release of the same segment gives nobody a turn
    const result = await sealing;
    expect(Buffer.compare(second.bytes, before)).toBe(0);
    expect(Buffer.compare(second.bytes, result.bytes)).not.toBe(0);
    second.release();
    result.release();
  });

  test("the memory of a released segment takes the next one; its old view is then empty, not wrong", async () => {
    const file = await fileOf(randomBytes(100_000));
    const first = await sealer.seal(file);
    const { byteLength } = first.bytes.buffer;
    first.release();
    const second = await sealer.seal(file);
    expect(first.bytes.length).toBe(0);
    expect(second.bytes.buffer.byteLength).toBe(byteLength);
    second.release();
  });

  test("an aborted call, a missing file and one that is too large give their slot back", async () => {
    const good = await fileOf(randomBytes(10));
    const large = await fileOf(Buffer.alloc(SEGMENT + 1));
    for (let i = 0; i < 3; i++) {
      await expect(sealer.seal(good, AbortSignal.abort())).rejects.toMatchObject({ code: "CANCELLED" });
      await expect(sealer.seal(join(folder, "none"))).rejects.toMatchObject({ code: "NOT_FOUND", permanent: false });
      await expect(sealer.seal(large)).rejects.toMatchObject({ code: "INPUT_INVALID", permanent: true });
      await expect(sealer.seal(folder)).rejects.toMatchObject({ code: "STORE_FAILED" });
      const controller = new AbortController();
      const late = sealer.seal(good, controller.signal);
      setImmediate(() => controller.abort());
      await late.then(
        (result) => result.release(),
        (error: unknown) => expect(error).toMatchObject({ code: "CANCELLED" }),
      );
    }
    const [a, b] = await Promise.all([sealer.seal(good), sealer.seal(good)]);
    a.release();
    b.release();
  });

  test("closing ends those who wait", async () => {
    const short = createSealer({ recipients: [keys.recipient], segmentSize: SEGMENT });
    const file = await fileOf(randomBytes(10));
    const all = [1, 2, 3].map(() => short.seal(file));
    const outcome = Promise.allSettled(all);
    await short.close();
    for (const { status, ...rest } of await outcome) {
      if (status === "rejected") expect(rest).toMatchObject({ reason: { code: "CANCELLED" } });
    }
    await expect(short.seal(file)).rejects.toMatchObject({ code: "CANCELLED" });
  });
});

test("sealBytes: the same for small things in memory", async () => {
  const plain = Buffer.from("CREATE ROLE shop;");
  const result = await sealBytes(plain, [keys.recipient]);
  expect(result).toMatchObject({ size: result.bytes.length, sha256: sha256Hex(result.bytes), plainSize: plain.length });
  const opened = await opener.open(new Uint8Array(result.bytes), segmentOf(result, "globals.zst.age"));
  expect(Buffer.from(opened).toString()).toBe(plain.toString());
  expect(await sealBytes(plain, null)).toMatchObject({ sha256: sha256Hex(plain), plainSha256: sha256Hex(plain) });
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
    const segment = segmentOf(await sealBytes(plain, null), "data-000001.zst");
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
