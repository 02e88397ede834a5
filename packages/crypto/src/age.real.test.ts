import { sha256Hex } from "@trivault/core";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { sealBytes } from "../test/seal-bytes.ts";
import { generateKeys, type KeyPair, readIdentityFile, writeIdentityFile } from "./identity-file.ts";
import { createOpener, type Opener } from "./opener.ts";
import { createSealer, type Sealer } from "./sealer.ts";

const run = promisify(execFile);
const SEGMENT = 8 * 1024 * 1024;
const SIZES = [0, 1, 65_535, 65_536, 65_537, 5_000_000, SEGMENT];

let folder: string;
let operations: KeyPair;
let escrow: KeyPair;
let sealer: Sealer;
let opener: Opener;
const at = (name: string) => join(folder, name);
/** By its stdout: with -o, age makes no file where there is no plaintext. */
const ageOpens = async (file: string, identity: string): Promise<Buffer> => {
  const options = { encoding: "buffer", maxBuffer: 2 * SEGMENT } as const;
  return (await run("age", ["-d", "-i", at(identity), at(file)], options)).stdout;
};
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "trivault-age-"));
  operations = await generateKeys();
  escrow = await generateKeys();
  await writeIdentityFile(at("operations.txt"), operations, `tvsign1${"A".repeat(43)}`);
  await writeIdentityFile(at("escrow.txt"), escrow, null);
  sealer = createSealer({ recipients: [operations.recipient, escrow.recipient], segmentSize: SEGMENT });
  opener = createOpener([escrow.identity]);
});
afterAll(async () => {
  await Promise.all([sealer.close(), opener.close()]);
  await rm(folder, { recursive: true });
});

describe("the age program", () => {
  test.each(SIZES)("%i bytes: each of two recipients opens what the sealer made", async (size) => {
    const plain = randomBytes(size);
    await writeFile(at("plain"), plain);
    const target = await open(at("sealed"), "w");
    await sealer.seal(at("plain"), target.fd);
    await target.close();
    for (const identity of ["operations.txt", "escrow.txt"]) {
      expect(Buffer.compare(await ageOpens("sealed", identity), plain)).toBe(0);
    }
  });

  test.each(SIZES)("%i bytes: we open what it made", async (size) => {
    const plain = randomBytes(size);
    await writeFile(at("plain"), plain);
    await run("age", ["-r", operations.recipient, "-r", escrow.recipient, "-o", at("sealed"), at("plain")]);
    const sealed = await readFile(at("sealed"));
    const segment = {
      name: "data-000001.zst.age",
      size: sealed.length,
      sha256: sha256Hex(sealed),
      plainSize: size,
    };
    expect(Buffer.compare(await opener.open(sealed, segment), plain)).toBe(0);
  });

  test("refuses what is sealed to somebody else", async () => {
    const plain = randomBytes(200_000);
    await writeFile(at("small"), (await sealBytes(plain, [operations.recipient])).bytes);
    expect(Buffer.compare(await ageOpens("small", "operations.txt"), plain)).toBe(0);
    await expect(ageOpens("small", "escrow.txt")).rejects.toThrow(/no identity matched/);
  });

  test("age-keygen finds our recipient in our file, and we read its file", async () => {
    const { stdout } = await run("age-keygen", ["-y", at("operations.txt")]);
    expect(stdout.trim()).toBe(operations.recipient);
    await run("age-keygen", ["-o", at("theirs.txt")]);
    const { identities, trustedKeys } = await readIdentityFile(at("theirs.txt"));
    expect([identities.length, trustedKeys]).toEqual([1, []]);
    const recipient = (await run("age-keygen", ["-y", at("theirs.txt")])).stdout.trim();
    const { bytes, ...sealed } = await sealBytes(Buffer.from("theirs"), [recipient]);
    const reader = createOpener(identities);
    const opened = await reader.open(bytes, { name: "data-000001.zst.age", ...sealed });
    expect(Buffer.from(opened).toString()).toBe("theirs");
    await reader.close();
  });
});
