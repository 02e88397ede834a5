import { describe, expect, test } from "@jest/globals";
import { anyText } from "@trivault/testkit/any-text";
import fc from "fast-check";
import {
  canonicalBytes,
  dataSegments,
  decodeManifest,
  encodeManifest,
  type Manifest,
  type Segment,
  type SignedManifest,
  totalSize,
} from "./manifest.ts";
import { rawManifest } from "./manifest-bytes.ts";

const ID = "20261123t020000z-7f3k9xq2";

function segment(name: string, size = 100): Segment {
  return { name, size, sha256: "a".repeat(64), plainSize: size - 20, plainSha256: "b".repeat(64) };
}

const MANIFEST: Manifest = {
  format: "trivault-backup",
  version: 1,
  id: ID,
  database: "shop",
  startedAt: "2026-11-23T02:00:00.000Z",
  completedAt: "2026-11-23T02:01:00.000Z",
  tools: { trivault: "0.1.0", pg_dump: "17.2", zstd: "1.5.6" },
  server: { version: "17.2", major: 17 },
  encryption: "age",
  recipients: ["age1qqqqqqqqqqqqqqqqqqqqqqqqqqq"],
  segments: [
    segment("data-000001.zst.age", 1000),
    segment("data-000002.zst.age", 500),
    segment("globals.zst.age", 30),
    segment("details.zst.age", 70),
  ],
};
const SIGNED: SignedManifest = {
  manifest: MANIFEST,
  signature: { algorithm: "ed25519", publicKey: "tvsign1abc", value: "c2ln" },
};

/** What lies on a tier after someone changed it. */
function tampered(edit: (envelope: { manifest: Record<string, unknown> } & Record<string, unknown>) => void): Buffer {
  const envelope = JSON.parse(encodeManifest(SIGNED).toString()) as { manifest: Record<string, unknown> };
  edit(envelope);
  return Buffer.from(JSON.stringify(envelope));
}
const corrupt = expect.objectContaining({ code: "CORRUPT", permanent: true });

describe("manifest.json", () => {
  test("is read as it was written", () => {
    expect(decodeManifest(encodeManifest(SIGNED))).toEqual(SIGNED);
    expect(decodeManifest(encodeManifest({ manifest: MANIFEST }))).toEqual({ manifest: MANIFEST });
    expect(decodeManifest(encodeManifest(SIGNED), { database: "shop", id: ID })).toEqual(SIGNED);
  });

  test("can be read by people, and ends with a newline", () => {
    const text = encodeManifest(SIGNED).toString();
    expect(text).toContain('"name": "data-000001.zst.age"');
    expect(text.endsWith("}\n")).toBe(true);
  });

  test.each<[string, { database: string; id: string }]>([
    ["database", { database: "other", id: ID }],
    ["backup", { database: "shop", id: "20261123t020000z-00000000" }],
  ])("of another %s is refused: somebody swapped files", (_, expected) => {
    expect(() => decodeManifest(encodeManifest(SIGNED), expected)).toThrow(/swapped/);
  });

  test.each<[string, string | Uint8Array]>([
    ["nothing", ""],
    ["no JSON", "{"],
    ["a truncated one", encodeManifest(SIGNED).subarray(0, 400)],
    ["null", "null"],
    ["a list", "[]"],
    ["a bare manifest", JSON.stringify(MANIFEST)],
    ["invalid UTF-8", new Uint8Array([0xff, 0xfe])],
  ])("that is %s is refused", (_, bytes) => {
    expect(() => decodeManifest(Buffer.from(bytes))).toThrow(corrupt);
  });

  const inManifest = (fields: Record<string, unknown>) => () =>
    tampered((envelope) => Object.assign(envelope.manifest, fields));
  const withSegments = (...segments: unknown[]) => inManifest({ segments });
  const first = segment("data-000001.zst.age");
  test.each<[string, () => Buffer]>([
    ["an unknown field", inManifest({ extra: 1 })],
    ["an unknown field beside it", () => tampered((envelope) => Object.assign(envelope, { extra: 1 }))],
    ["another format", inManifest({ format: "other" })],
    ["a later version", inManifest({ version: 2 })],
    ["a path for an id", inManifest({ id: "../../etc" })],
    ["an id of no time", inManifest({ id: "20269999t999999z-7f3k9xq2" })],
    ["no database", inManifest({ database: "" })],
    ["a time in words", inManifest({ startedAt: "yesterday" })],
    ["no segments", withSegments()],
    ["a segment outside", withSegments({ ...first, name: "../data-000001.zst.age" })],
    ["a segment of another name", withSegments(first, segment("notes.txt"))],
    ["a negative size", withSegments({ ...first, size: -1 })],
    ["half a byte", withSegments({ ...first, plainSize: 0.5 })],
    ["a size beyond exact numbers", withSegments({ ...first, size: 2 ** 53 })],
    ["a short hash", withSegments({ ...first, sha256: "a".repeat(63) })],
    ["a hash in capitals", withSegments({ ...first, plainSha256: "A".repeat(64) })],
    ["a segment twice", withSegments(first, first)],
    ["a gap", withSegments(first, segment("data-000003.zst.age"))],
    ["no first segment", withSegments(segment("data-000002.zst.age"))],
    ["segments out of order", withSegments(segment("data-000002.zst.age"), first)],
    ["no data at all", withSegments(segment("globals.zst.age"))],
    ["a plaintext segment among encrypted ones", withSegments(first, segment("data-000002.zst"))],
    ["encrypted segments called plaintext", inManifest({ encryption: "none" })],
    ["an unknown encryption", inManifest({ encryption: "rot13" })],
    [
      "another signature algorithm",
      () => tampered((envelope) => Object.assign(envelope, { signature: { ...SIGNED.signature, algorithm: "none" } })),
    ],
  ])("with %s is refused", (_, make) => {
    expect(() => decodeManifest(make())).toThrow(corrupt);
  });
});

describe("the bytes that are signed", () => {
  test("are the same however the manifest was ordered or laid out", () => {
    const reversed = Object.fromEntries(Object.entries(MANIFEST).toReversed()) as Manifest;
    expect(canonicalBytes(reversed).equals(canonicalBytes(MANIFEST))).toBe(true);
    expect(canonicalBytes(decodeManifest(encodeManifest(SIGNED)).manifest).equals(canonicalBytes(MANIFEST))).toBe(true);
  });

  test("are compact JSON with sorted keys, to the byte", () => {
    const text = canonicalBytes({ ...MANIFEST, database: 'Müller "1"\n', segments: [first()] }).toString();
    expect(text).toBe(
      `{"completedAt":"2026-11-23T02:01:00.000Z","database":"Müller \\"1\\"\\n","encryption":"age","format":"trivault-backup","id":"${ID}",` +
        `"recipients":["age1qqqqqqqqqqqqqqqqqqqqqqqqqqq"],"segments":[{"name":"data-000001.zst.age","plainSha256":"${"b".repeat(64)}",` +
        `"plainSize":80,"sha256":"${"a".repeat(64)}","size":100}],"server":{"major":17,"version":"17.2"},"startedAt":"2026-11-23T02:00:00.000Z",` +
        `"tools":{"pg_dump":"17.2","trivault":"0.1.0","zstd":"1.5.6"},"version":1}`,
    );
  });

  test("change with every value in it", () => {
    const paths = leaves(MANIFEST, []);
    expect(paths.length).toBeGreaterThan(25);
    for (const at of paths) {
      const changed = structuredClone(MANIFEST);
      change(changed, at);
      expect({ at, same: canonicalBytes(changed).equals(canonicalBytes(MANIFEST)) }).toEqual({ at, same: false });
    }
  });

  test("keep the order of lists, which means something", () => {
    const segments = MANIFEST.segments.toReversed();
    expect(canonicalBytes({ ...MANIFEST, segments }).equals(canonicalBytes(MANIFEST))).toBe(false);
  });

  test("survive any database name on their way through manifest.json", () => {
    fc.assert(
      fc.property(anyText({ minLength: 1, maxLength: 63 }), (database) => {
        const manifest = { ...MANIFEST, database };
        const read = decodeManifest(encodeManifest({ manifest })).manifest;
        expect(canonicalBytes(read).equals(canonicalBytes(manifest))).toBe(true);
        expect(rawManifest(encodeManifest({ manifest }))?.canonical).toEqual(canonicalBytes(manifest));
      }),
    );
  });

  const first = () => segment("data-000001.zst.age");
});

describe("9.B11 the bytes of a manifest, before anything is built from them,", () => {
  const [written, compact] = [encodeManifest(SIGNED), Buffer.from(JSON.stringify(SIGNED))];

  test("show what is signed, and by whom", () => {
    for (const bytes of [written, compact]) {
      const raw = rawManifest(bytes);
      expect(raw?.canonical).toEqual(canonicalBytes(MANIFEST));
      expect(JSON.parse(raw?.signature ?? "")).toEqual(SIGNED.signature);
    }
    expect(rawManifest(encodeManifest({ manifest: MANIFEST }))?.signature).toBeNull();
  });

  test("cut off or changed anywhere, are none or are of another manifest", () => {
    for (let end = 0; end < compact.length; end++) expect(rawManifest(compact.subarray(0, end))).toBeNull();
    for (let at = 0; at < compact.length; at++) {
      const changed = Buffer.from(compact);
      changed[at] = 0x7e;
      const raw = rawManifest(changed);
      const same =
        raw?.canonical.equals(canonicalBytes(MANIFEST)) && raw.signature === JSON.stringify(SIGNED.signature);
      expect({ at, same: same ?? false }).toEqual({ at, same: false });
    }
  });

  const many = (text: string) => Array.from({ length: 10_000 }, () => text).join();
  test.each([
    ["empty objects", `{"manifest":{"x":[${many("{}")}]}}`],
    ["digits", `{"manifest":{"x":[${many("1")}]}}`],
    ["empty texts", `{"manifest":{"x":[${many('""')}]}}`],
    ["depth", `{"manifest":${'{"a":'.repeat(10_000)}1${"}".repeat(10_001)}`],
    ["lists in lists", `{"manifest":${"[".repeat(10_000)}${"]".repeat(10_000)}}`],
    ["members", `{"manifest":{${Array.from({ length: 200 }, (_, i) => `"${"n".repeat(30)}${i}":1`).join()}}}`],
    ["manifests", `{${many('"manifest":{"a":1}')}}`],
    ["a large signature", `{"manifest":{},"signature":{"value":"${"A".repeat(2000)}"}}`],
    ["what follows it", `${compact.toString()}{}`],
    ["a literal", '{"manifest":null}'],
    ["an end within a text", '{"manifest":{"a":"\\"'],
    ["nothing", ""],
  ])("with %s are refused unparsed", (_, text) => {
    expect(rawManifest(Buffer.from(text))).toBeNull();
    expect(() => decodeManifest(Buffer.from(text))).toThrow(expect.objectContaining({ code: "CORRUPT" }));
  });
});

test("data segments come in order, without globals and details; sizes add up", () => {
  expect(dataSegments(MANIFEST).map(({ name }) => name)).toEqual(["data-000001.zst.age", "data-000002.zst.age"]);
  expect(totalSize(MANIFEST)).toBe(1600);
});

type Path = readonly (string | number)[];

function leaves(value: unknown, at: Path): Path[] {
  if (typeof value !== "object" || value === null) return [at];
  const keys = Array.isArray(value) ? value.keys() : Object.keys(value);
  return [...keys].flatMap((key) => leaves((value as Record<string | number, unknown>)[key], [...at, key]));
}

function change(root: unknown, at: Path): void {
  let holder = root as Record<string | number, unknown>;
  for (const key of at.slice(0, -1)) holder = holder[key] as Record<string | number, unknown>;
  const last = at.at(-1) ?? "";
  const old = holder[last];
  holder[last] = typeof old === "number" ? old + 1 : `${String(old)}x`;
}
