import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { generateHybridIdentity } from "age-encryption";
import { generateKeys, type KeyPair, readIdentityFile, writeIdentityFile } from "./identity-file.ts";

const SIGNER = `tvsign1${"A".repeat(43)}`;

let folder: string;
let keys: KeyPair;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "trivault-identity-"));
  keys = await generateKeys();
});
afterAll(() => rm(folder, { recursive: true }));

async function fileOf(text: string, mode = 0o600): Promise<string> {
  const file = join(folder, Math.random().toString(36).slice(2));
  await writeFile(file, text);
  await chmod(file, mode);
  return file;
}

test("what is written is read back, and only its owner may read it", async () => {
  const file = join(folder, "identity.txt");
  await writeIdentityFile(file, keys, SIGNER);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readIdentityFile(file)).toEqual({ identities: [keys.identity], trustedKeys: [SIGNER] });
  expect(await readFile(file, "utf8")).toMatch(
    /^# created: \S+\n# public key: age1\w+\n# signing public key: tvsign1\S+\nAGE-SECRET-KEY-1\w+\n$/,
  );
});

test("9.C17 the identity itself may be given in the environment, and no message repeats it", async () => {
  const reference = "env:IDENTITY_OF_THE_TEST";
  process.env["IDENTITY_OF_THE_TEST"] = `# mine\\n${keys.identity}`;
  try {
    expect(await readIdentityFile(reference)).toMatchObject({ identities: [keys.identity] });
    process.env["IDENTITY_OF_THE_TEST"] = keys.identity.slice(0, -1);
    const error = await readIdentityFile(reference).catch((cause: unknown) => cause);
    expect(String(error)).toContain(reference);
    expect(String(error)).not.toContain(keys.identity.slice(20, -1));
  } finally {
    delete process.env["IDENTITY_OF_THE_TEST"];
  }
});

test("a file that exists is never overwritten", async () => {
  const file = await fileOf("the only key\n");
  const failure = writeIdentityFile(file, keys, null);
  await expect(failure).rejects.toMatchObject({ code: "EXISTS", permanent: true });
  expect(await readFile(file, "utf8")).toBe("the only key\n");
});

test("a folder that is not there", async () => {
  const failure = writeIdentityFile(join(folder, "none", "identity.txt"), keys, null);
  await expect(failure).rejects.toMatchObject({ code: "KEY_FILE", permanent: true });
});

test("several identities of both kinds and several signers, with Windows line ends", async () => {
  const hybrid = await generateHybridIdentity();
  const file = await fileOf(`# a comment\r\n\r\n# signing public key: ${SIGNER}\r\n${keys.identity}\r\n${hybrid}\r\n`);
  expect(await readIdentityFile(file)).toEqual({ identities: [keys.identity, hybrid], trustedKeys: [SIGNER] });
});

test.each([0o640, 0o604, 0o660, 0o644])("mode %o is refused, with the command that mends it", async (mode) => {
  const file = await fileOf(keys.identity, mode);
  const failure = readIdentityFile(file);
  await expect(failure).rejects.toMatchObject({ code: "KEY_FILE", permanent: true });
  await expect(failure).rejects.toThrow(`chmod 600 ${file}`);
});

test("what cannot be used: missing, a folder, none in it, cut, of another kind; the key itself is never repeated", async () => {
  const cut = keys.identity.slice(0, -2);
  const flipped = keys.identity.replace(/.$/, (last) => (last === "Q" ? "P" : "Q"));
  const privateFolder = await mkdtemp(join(folder, "private-"));
  const files = [
    join(folder, "missing"),
    privateFolder,
    await fileOf(""),
    await fileOf("# only comments\n"),
    await fileOf(`${cut}\n`),
    await fileOf(`# fine\n${keys.identity}\n${flipped}\n`),
    await fileOf(keys.recipient),
    await fileOf(`# signing public key: tvsign1short\n${keys.identity}\n`),
    await fileOf("age-encryption.org/v1\n-> scrypt …"),
    await fileOf("-----BEGIN OPENSSH PRIVATE KEY-----\n"),
    await fileOf("#".repeat(2_000_000)),
  ];
  for (const file of files) {
    const error: unknown = await readIdentityFile(file).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "KEY_FILE", permanent: true });
    const text = String(error);
    expect(text).toContain(file);
    expect(text).not.toContain(keys.identity.slice(20, 40));
  }
});
