import { execFile } from "node:child_process";
import { createPrivateKey, createPublicKey, randomBytes, sign } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { decodeManifest, encodeManifest, type Manifest } from "@trivault/core";
import { ofAnotherUser } from "@trivault/testkit";
import fc from "fast-check";
import {
  checkManifest,
  checkManifestBytes,
  isPublicKey,
  publicKeyText,
  signManifest,
  signWith,
  verifySignature,
} from "./signature.ts";
import { judgeManifest } from "./judge-manifest.ts";
import { loadOrCreateSigningKey, loadSigningKey } from "./signing-key.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "trivault-sign-"));
});
afterAll(() => rm(folder, { recursive: true }));

const newFile = () => join(folder, randomBytes(6).toString("hex"), "signing.key");

const manifest: Manifest = {
  format: "trivault-backup",
  version: 1,
  id: "20261123t020000z-7f3k9xq2",
  database: "shop",
  startedAt: "2026-11-23T02:00:00.000Z",
  completedAt: "2026-11-23T02:01:00.000Z",
  tools: { trivault: "0.1.0", pg_dump: "17.2" },
  server: { version: "17.2", major: 17 },
  encryption: "age",
  recipients: ["age1…"],
  segments: [
    { name: "data-000001.zst.age", size: 10, sha256: "0".repeat(64), plainSize: 5, plainSha256: "1".repeat(64) },
  ],
};

describe("Ed25519", () => {
  // RFC 8032, section 7.1, TEST 2
  const secret = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
  const publicKey = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
  const signature =
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
  const key = createPrivateKey({
    key: Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), Buffer.from(secret, "hex")]),
    format: "der",
    type: "pkcs8",
  });
  const text = `tvsign1${Buffer.from(publicKey, "hex").toString("base64url")}`;

  test("the vector of RFC 8032", () => {
    expect(publicKeyText(key)).toBe(text);
    const signed = signWith(key, text, Buffer.from("72", "hex"));
    expect(Buffer.from(signed.value, "base64").toString("hex")).toBe(signature);
    expect(verifySignature(Buffer.from("72", "hex"), signed)).toBe(true);
    expect(verifySignature(Buffer.from("73", "hex"), signed)).toBe(false);
  });

  test("whatever is changed in a signature or key, it does not fit", () => {
    const bytes = Buffer.from("manifest");
    const good = signWith(key, text, bytes);
    const value = Buffer.from(good.value, "base64");
    fc.assert(
      fc.property(fc.nat(63), fc.integer({ min: 1, max: 255 }), (place, flip) => {
        const bad = Buffer.from(value);
        bad[place] = (bad[place] ?? 0) ^ flip;
        expect(verifySignature(bytes, { ...good, value: bad.toString("base64") })).toBe(false);
      }),
    );
    // The last letter carries two bits that mean nothing; the next letter of the alphabet is another text for these bytes.
    const alias = text.slice(0, -1) + String.fromCharCode(text.charCodeAt(text.length - 1) + 1);
    expect(Buffer.from(alias, "base64url")).toEqual(Buffer.from(text, "base64url"));
    for (const bad of [alias, text.slice(0, -1), `${text}A`, "", "tvsign1", text.slice(7), ` ${text}`]) {
      expect(verifySignature(bytes, { ...good, publicKey: bad })).toBe(false);
      expect(isPublicKey(bad)).toBe(false);
    }
    for (const bad of ["", good.value.slice(0, -4), `${good.value}AAAA`, `${good.value}\n`, good.value.slice(0, -2)]) {
      expect(verifySignature(bytes, { ...good, value: bad })).toBe(false);
    }
    expect(isPublicKey(text)).toBe(true);
  });
});

/** Turns of the event loop until it ends. */
async function turnsOf(work: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  const count = () => {
    turns++;
    counting = setImmediate(count);
  };
  let counting = setImmediate(count);
  try {
    await work();
    return turns;
  } finally {
    clearImmediate(counting);
  }
}

describe("manifests", () => {
  test("9.B11 a large one is judged as any other, and the event loop goes on meanwhile", async () => {
    const key = await loadOrCreateSigningKey(newFile());
    const sha256 = "0".repeat(64);
    const segments = Array.from({ length: 6000 }, (_, i) => {
      const name = `data-${String(i + 1).padStart(6, "0")}.zst`;
      return { name, size: 1, sha256, plainSize: 1, plainSha256: sha256 };
    });
    const large = encodeManifest(signManifest({ ...manifest, segments }, key));
    expect(large.length).toBeGreaterThan(1024 * 1024);
    const other = Buffer.from(large.toString().replace(manifest.id, manifest.id.replace("2026", "2027")));
    expect(await judgeManifest(large, [key.publicKey])).toBe("trusted");
    expect(await judgeManifest(other, [key.publicKey])).toBe("bad-signature");
    expect(await judgeManifest(large.subarray(0, -10), [key.publicKey])).toBeNull();
    expect(await turnsOf(() => judgeManifest(large, []))).toBeGreaterThan(0);
  });

  test("trusted after a round trip through its file; unsigned, unknown and changed are distinguished", async () => {
    const key = await loadOrCreateSigningKey(newFile());
    const bytes = encodeManifest(signManifest(manifest, key));
    const stored = decodeManifest(bytes);
    expect(checkManifestBytes(bytes, ["tvsign1other", key.publicKey])).toBe("trusted");
    expect(checkManifestBytes(bytes, [])).toBe("unknown-key");
    expect(checkManifestBytes(encodeManifest({ manifest }), [key.publicKey])).toBe("unsigned");
    expect(checkManifestBytes(Buffer.from(bytes.toString().replace("shop", "shoq")), [key.publicKey])).toBe(
      "bad-signature",
    );
    expect(checkManifestBytes(Buffer.from("{}"), [key.publicKey])).toBeNull();
    expect(checkManifest(stored, ["tvsign1other", key.publicKey])).toBe("trusted");
    expect(checkManifest(stored, [])).toBe("unknown-key");
    expect(checkManifest({ manifest }, [key.publicKey])).toBe("unsigned");
    const changed = { ...stored, manifest: { ...manifest, database: "shop2" } };
    expect(checkManifest(changed, [key.publicKey])).toBe("bad-signature");
    // Signed by another key under the name of a trusted one
    const thief = await loadOrCreateSigningKey(newFile());
    const { signature } = signManifest(manifest, thief);
    const forged = { manifest, ...(signature && { signature: { ...signature, publicKey: key.publicKey } }) };
    expect(checkManifest(forged, [key.publicKey])).toBe("bad-signature");
  });

  test("the order of keys in the file changes nothing", async () => {
    const key = await loadOrCreateSigningKey(newFile());
    const { signature } = signManifest(manifest, key);
    const reversed = Object.fromEntries(Object.entries(manifest).toReversed()) as Manifest;
    expect(checkManifest({ manifest: reversed, ...(signature && { signature }) }, [key.publicKey])).toBe("trusted");
  });
});

describe("signing key files", () => {
  test("twenty workers that start at once agree on one key, and nothing else is left", async () => {
    const file = newFile();
    const keys = await Promise.all(Array.from({ length: 20 }, () => loadOrCreateSigningKey(file)));
    expect(new Set(keys.map((key) => key.publicKey)).size).toBe(1);
    expect(await readdir(join(file, ".."))).toEqual(["signing.key"]);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await loadSigningKey(file)).publicKey).toBe(keys[0]?.publicKey);
  });

  test("openssl reads it, and verifies what it signed", async () => {
    const file = newFile();
    const key = await loadOrCreateSigningKey(file);
    const run = promisify(execFile);
    const publicFile = join(folder, "public.pem");
    await run("openssl", ["pkey", "-in", file, "-pubout", "-out", publicFile]);
    const { x } = createPublicKey(await readFile(publicFile, "utf8")).export({ format: "jwk" });
    expect(`tvsign1${x}`).toBe(key.publicKey);
    const bytes = Buffer.from("signed here, verified there");
    const [data, value] = [join(folder, "data"), join(folder, "value")];
    await writeFile(data, bytes);
    await writeFile(value, Buffer.from(key.sign(bytes).value, "base64"));
    const verify = ["pkeyutl", "-verify", "-pubin", "-inkey", publicFile, "-rawin", "-in", data, "-sigfile", value];
    expect((await run("openssl", verify)).stdout).toContain("Verified Successfully");
    expect(sign(null, bytes, await readFile(file, "utf8")).toString("base64")).toBe(key.sign(bytes).value);
  });

  test("missing, open to others, garbage, another kind of key: KEY_FILE, and never replaced", async () => {
    await expect(loadSigningKey(newFile())).rejects.toMatchObject({ code: "KEY_FILE", permanent: true });
    const file = newFile();
    await loadOrCreateSigningKey(file);
    await chmod(file, 0o640);
    await expect(loadOrCreateSigningKey(file)).rejects.toThrow(`chmod 600 ${file}`);
    await chmod(file, 0o600);
    const rsa = await promisify(execFile)("openssl", ["genpkey", "-algorithm", "X25519"]);
    for (const text of ["", "garbage", rsa.stdout]) {
      await writeFile(file, text);
      await expect(loadOrCreateSigningKey(file)).rejects.toMatchObject({ code: "KEY_FILE", permanent: true });
      expect(await readFile(file, "utf8")).toBe(text);
    }
  });

  test("9.C18 one that belongs to another user is not believed: that user could sign with it", async () => {
    const file = newFile();
    await loadOrCreateSigningKey(file);
    await using _ = await ofAnotherUser(file);
    await expect(loadOrCreateSigningKey(file)).rejects.toMatchObject({
      code: "KEY_FILE",
      message: expect.stringMatching(/^The signing key .* belongs to user/),
    });
  });

  test("9.C17 the key itself may be given in the environment; where it is not, no file is made in its name", async () => {
    const file = newFile();
    const key = await loadOrCreateSigningKey(file);
    const reference = "env:SIGNING_KEY_OF_THE_TEST";
    await expect(loadOrCreateSigningKey(reference)).rejects.toMatchObject({ code: "KEY_FILE" });
    expect(existsSync(reference)).toBe(false);
    process.env["SIGNING_KEY_OF_THE_TEST"] = await readFile(file, "utf8");
    try {
      expect((await loadOrCreateSigningKey(reference)).publicKey).toBe(key.publicKey);
    } finally {
      delete process.env["SIGNING_KEY_OF_THE_TEST"];
    }
  });

  test("a place that cannot be written: KEY_FILE", async () => {
    const blocked = join(folder, "a-file");
    await writeFile(blocked, "");
    const failure = loadOrCreateSigningKey(join(blocked, "signing.key"));
    await expect(failure).rejects.toMatchObject({ code: "KEY_FILE", permanent: true });
  });
});
