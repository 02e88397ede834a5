/**
 * `manifest.json` as it lies on a tier, before anything is built from it. A file of 36 MB may hold 18 million empty objects,
 * which take gigabytes once they are parsed; this one pass over its bytes takes their own size, and refuses what is denser than
 * a manifest can be.
 */
export interface RawManifest {
  /** What is signed: `canonicalBytes` of the manifest, made from text to text. */
  readonly canonical: Buffer;
  /** The JSON text of the signature; null where there is none. */
  readonly signature: string | null;
}

/** Envelope, manifest, segments, segment. */
const MOST_DEPTH = 4;
/** A segment's six values (it is one itself) take 250 bytes and more, and what else there is has few. */
const LEAST_BYTES_A_VALUE = 24;
const FREE_VALUES = 200;
const MOST_SIGNATURE = 1024;
const MOST_MEMBERS = 100;

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST] = [0x7b, 0x7d, 0x5b, 0x5d];

/** Null where these are not the bytes of a manifest: not JSON of objects, lists, strings and digits, too deep or too dense. */
export function rawManifest(bytes: Uint8Array): RawManifest | null {
  const scan = createScan(bytes);
  let manifest: readonly [number, number] | null = null;
  let signature: string | null = null;
  if (scan.next() !== OPEN_OBJECT) return null;
  for (let first = true; ; first = false) {
    const name = scan.member(first);
    if (name === null) return null;
    if (name === "") break;
    const from = scan.inputAt();
    const start = scan.outputAt();
    if (!scan.value(1)) return null;
    if (name === "manifest" && manifest === null) manifest = [start, scan.outputAt()];
    else if (name === "signature" && signature === null && scan.inputAt() - from <= MOST_SIGNATURE) {
      signature = Buffer.from(bytes.subarray(from, scan.inputAt())).toString("utf8");
    } else return null;
  }
  return manifest && scan.next() === null ? { canonical: scan.output(...manifest), signature } : null;
}

function createScan(bytes: Uint8Array) {
  const out = Buffer.allocUnsafe(bytes.length);
  let at = 0;
  let end = 0;
  let values = 0;

  const isSpace = (byte: number | undefined) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
  const peek = (): number | null => {
    while (isSpace(bytes[at])) at++;
    return bytes[at] ?? null;
  };
  const next = (): number | null => {
    const byte = peek();
    if (byte !== null) at++;
    return byte;
  };
  const write = (byte: number) => {
    out[end++] = byte;
    return true;
  };
  const copy = (from: number) => {
    out.set(bytes.subarray(from, at), end);
    end += at - from;
    return true;
  };

  /** As it is written, quotes and escapes included: `JSON.stringify` writes one way only. */
  const string = (): boolean => {
    const from = at;
    if (bytes[at++] !== QUOTE) return false;
    for (;;) {
      const close = bytes.indexOf(QUOTE, at);
      if (close < 0) return false;
      let slashes = 0;
      while (bytes[close - 1 - slashes] === BACKSLASH) slashes++;
      at = close + 1;
      if (slashes % 2 === 0) return copy(from);
    }
  };
  const digits = (): boolean => {
    const from = at;
    while ((bytes[at] ?? 0) >= 0x30 && (bytes[at] ?? 0) <= 0x39) at++;
    return at > from && copy(from);
  };
  const list = (depth: number): boolean => {
    at++;
    write(OPEN_LIST);
    if (peek() === CLOSE_LIST) return write(bytes[at++] ?? 0);
    for (;;) {
      if (!value(depth + 1)) return false;
      const byte = next();
      if (byte === CLOSE_LIST) return write(byte);
      if (byte !== COMMA) return false;
      write(byte);
    }
  };
  /** The name of the next member; empty where the object ends. */
  const member = (first: boolean): string | null => {
    if (peek() === CLOSE_OBJECT) {
      at++;
      return "";
    }
    if (!first && next() !== COMMA) return null;
    peek();
    const start = end;
    if (!string()) return null;
    const name = out.toString("latin1", start + 1, end - 1);
    end = start;
    return next() === COLON && peek() !== null && name !== "" ? name : null;
  };
  const object = (depth: number): boolean => {
    at++;
    write(OPEN_OBJECT);
    const begin = end;
    const members: { readonly name: string; readonly start: number; readonly end: number }[] = [];
    for (;;) {
      const start = end;
      const name = member(members.length === 0);
      if (name === null || members.length > MOST_MEMBERS) return false;
      if (name === "") break;
      end = start + out.write(`"${name}":`, start, "latin1");
      if (!value(depth + 1)) return false;
      members.push({ name, start, end });
    }
    const sorted = members.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    const text = Buffer.from(out.subarray(begin, end));
    end = begin;
    for (const [i, each] of sorted.entries()) {
      if (i > 0) write(COMMA);
      out.set(text.subarray(each.start - begin, each.end - begin), end);
      end += each.end - each.start;
    }
    return write(CLOSE_OBJECT);
  };
  const value = (depth: number): boolean => {
    if (depth > MOST_DEPTH || ++values > FREE_VALUES + bytes.length / LEAST_BYTES_A_VALUE) return false;
    const byte = peek();
    if (byte === OPEN_OBJECT) return object(depth);
    if (byte === OPEN_LIST) return list(depth);
    return byte === QUOTE ? string() : digits();
  };
  return {
    next,
    member,
    value,
    inputAt: () => at,
    outputAt: () => end,
    output: (from: number, to: number) => out.subarray(from, to),
  };
}
