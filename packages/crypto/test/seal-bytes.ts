import { mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createSealer, type SealedSegment, type Sealer } from "../src/sealer.ts";

export type SealedBytes = SealedSegment & { readonly bytes: Uint8Array };

/** Seals bytes as a worker does, from file to file, and reads what came of it. */
export async function sealWith(sealer: Sealer, plain: Uint8Array): Promise<SealedBytes> {
  const folder = await mkdtemp(path.join(tmpdir(), "trivault-seal-"));
  try {
    const [from, to] = [path.join(folder, "plain"), path.join(folder, "sealed")];
    await writeFile(from, plain);
    const target = await open(to, "wx");
    try {
      const segment = await sealer.seal(from, target.fd);
      return { ...segment, bytes: new Uint8Array(await readFile(to)) };
    } finally {
      await target.close();
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

export async function sealBytes(plain: Uint8Array, recipients: readonly string[] | null): Promise<SealedBytes> {
  const sealer = createSealer({ recipients, segmentSize: plain.length });
  try {
    return await sealWith(sealer, plain);
  } finally {
    await sealer.close();
  }
}
