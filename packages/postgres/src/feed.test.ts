import { Writable } from "node:stream";
import { expect, jest, test } from "@jest/globals";
import { background } from "@trivault/core";
import type { Chain } from "./chain.ts";
import { feed } from "./feed.ts";

/** A chain whose first program's input fails with this code, as its program has ended: with the system's real ones it is a race. */
function chainThatClosed(code: string, done: Promise<{ seconds: number }>) {
  const write: ConstructorParameters<typeof Writable>[0] = {
    write: (_chunk, _encoding, callback) => callback(Object.assign(new Error(`write ${code}`), { code })),
  };
  const process = { stdin: new Writable(write) };
  const kill = jest.fn(async () => {});
  const chain = { children: [{ process }], done: background(done), kill } as unknown as Chain;
  return { chain, kill };
}

async function* bytes(): AsyncGenerator<Uint8Array> {
  for (;;) yield Buffer.alloc(1000);
}

test.each(["EPIPE", "ECONNRESET", "ECANCELED", "ERR_STREAM_DESTROYED"])(
  "a program that closed its input says why, whatever the writing fails with (%s)",
  async (code) => {
    const { chain } = chainThatClosed(code, Promise.reject(new Error("unsupported version of the archive")));
    await expect(feed(chain, bytes())).rejects.toThrow("unsupported version of the archive");
  },
);

test("bytes that cannot be had end the programs, and that error is thrown", async () => {
  const { chain, kill } = chainThatClosed("EPIPE", new Promise(() => {}));
  const broken = async function* (): AsyncGenerator<Uint8Array> {
    yield* [];
    throw Object.assign(new Error("segment 2 is corrupt on every tier"), { code: "EPIPE" });
  };
  await expect(feed(chain, broken())).rejects.toThrow("segment 2 is corrupt on every tier");
  expect(kill).toHaveBeenCalled();
});
