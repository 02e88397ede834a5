import { sha256Hex } from "@trivault/core";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { fileURLToPath } from "node:url";
import { expect, test } from "@jest/globals";
import type { OpenJob } from "./segment-thread.ts";
import { createSegmentThread } from "./thread.ts";

const job = (bytes: Uint8Array): OpenJob => ({
  kind: "open",
  memory: new Uint8Array(bytes).buffer,
  size: bytes.length,
  sha256: sha256Hex(bytes),
  age: null,
  hashPlain: false,
});

test("a thread that dies fails the jobs it had, and the next job gets a new one", async () => {
  const thread = createSegmentThread();
  const bytes = Buffer.from("a segment");
  await thread.run(job(bytes));
  // More bytes than there is memory: a RangeError that nothing in the thread expects.
  const fatal = thread.run({ ...job(bytes), size: 1000 });
  const behind = thread.run(job(bytes));
  await expect(fatal).rejects.toThrow(/thread that encrypts and decrypts segments died/);
  await expect(behind).rejects.toThrow(/died/);
  expect(await thread.run(job(bytes))).toMatchObject({ is: "opened", plainSize: bytes.length });
  await thread.close();
});

test("an idle thread does not keep the process alive, a busy one does", async () => {
  const module = fileURLToPath(new URL("./sealer.ts", import.meta.url));
  const program = `
    import { openSync } from "node:fs";
    import { createSealer } from ${JSON.stringify(module)};
    const sealer = createSealer({ recipients: null, segmentSize: 1024 * 1024 });
    const target = openSync("/dev/null", "w");
    const { plainSize } = await sealer.seal(${JSON.stringify(module)}, target);
    console.log(plainSize);
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program], {
    timeout: 20_000,
  });
  expect(Number(stdout)).toBeGreaterThan(1000);
});
