import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { shellWord } from "@trivault/core";
import { whenGone } from "./when-gone.ts";

export interface TempDir extends AsyncDisposable {
  /** Absolute, without symbolic links; only this user may enter it (0700). */
  readonly path: string;
  /** Removes it with all it holds; again is fine. */
  remove(): Promise<void>;
}

/**
 * A new folder of one's own, which goes with this process at the latest. Its name is kept short because Unix sockets inside
 * it may have at most 103 bytes of path on macOS. Either call `remove`, or hold it by `await using dir = await makeTempDir()`.
 */
export async function makeTempDir(name = "tv"): Promise<TempDir> {
  const dir = await mkdtemp(path.join(await realpath(tmpdir()), `${name}-`));
  const word = shellWord(dir);
  const isGone = whenGone(`rm -rf ${word} || { sleep 1; rm -rf ${word}; }`); // a server may be just ending in it
  const remove = async () => {
    await rm(dir, { recursive: true, force: true, maxRetries: 3, retryDelay: 100 });
    isGone();
  };
  return { path: dir, remove, [Symbol.asyncDispose]: remove };
}
