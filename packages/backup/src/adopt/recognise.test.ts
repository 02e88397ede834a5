import { writeFile } from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { makeTempDir, type TempDir } from "@trivault/testkit";
import { recognise } from "./recognise.ts";
import { wholeScript } from "./whole-file.ts";

let dir: TempDir;
beforeAll(async () => {
  dir = await makeTempDir();
});
afterAll(() => dir.remove());

const HEADER = "--\n-- PostgreSQL database dump\n--\n";

describe("what a file is", () => {
  test.each<[string, string | Buffer, object]>([
    ["plain SQL", HEADER, { is: "dump", format: "plain", compression: null }],
    [
      "plain SQL after a comment, with CRLF",
      `-- nightly\r\n\r\n${HEADER.replaceAll("\n", "\r\n")}`,
      { format: "plain" },
    ],
    ["SQL that talks of a dump", `SELECT 1;\n${HEADER}`, { is: "foreign" }],
    ["a cluster's dump", "--\n-- PostgreSQL database cluster dump\n--\n", { is: "refused" }],
    ["gzip", gzipSync(HEADER), { format: "plain", compression: "gzip" }],
    ["broken gzip", gzipSync(HEADER).subarray(0, 20), { is: "refused" }],
    ["toc.dat of a folder", Buffer.from("PGDMP\x01\x0e\x00\x04\x08\x05", "latin1"), { is: "refused" }],
    ["a custom archive", Buffer.from("PGDMP\x01\x0e\x00\x04\x08\x01", "latin1"), { format: "custom" }],
    ["many comments, and no dump", `${"-- a\r\n".repeat(3000)}x`, { is: "foreign" }],
    ["one byte", "x", { is: "foreign" }],
    ["nothing", "", { is: "foreign", reason: "is empty" }],
  ])("%s", async (name, content, expected) => {
    const file = path.join(dir.path, name);
    await writeFile(file, content);
    expect(await recognise(file)).toMatchObject(expected);
  });
});

describe("whether a script is whole", () => {
  const TRAILER = "\n--\n-- PostgreSQL database dump complete\n--\n\n";
  const read = (text: string, size = 10) =>
    Array.fromAsync(
      wholeScript(
        Readable.from((text.match(new RegExp(`[^]{1,${size}}`, "g")) ?? []).map((piece) => Buffer.from(piece))),
      ),
    );

  test.each([TRAILER, `${TRAILER}\\unrestrict abc\n\n`, TRAILER.replaceAll("\n", "\r\n"), `${TRAILER}-- bye\n`])(
    "%j is a good end",
    async (end) => {
      const text = `${"x".repeat(3000)}${end}`;
      expect(Buffer.concat(await read(text)).toString()).toBe(text);
      await read(text, 5000);
    },
  );

  test.each([
    "",
    TRAILER.slice(0, 30),
    `${TRAILER}SELECT 1;\n`,
    `${TRAILER}${"--  \n".repeat(150)}x`,
    `${TRAILER}${"\n".repeat(2000)}`,
  ])("%j is none", async (end) => {
    await expect(read(`${"x".repeat(3000)}${end}`)).rejects.toMatchObject({ code: "CORRUPT" });
  });
});
