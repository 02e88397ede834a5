import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

export interface TempDir extends AsyncDisposable {
  /** Absolute, without symbolic links; only this user may enter it (0700). */
  readonly path: string;
  /** Removes it with all it holds; again is fine. */
  remove(): Promise<void>;
}

/**
 * A new folder of one's own. Its name is kept short because Unix sockets inside it may have at most 103 bytes of path on
 * macOS. Either call `remove`, or hold it by `await using dir = await makeTempDir()`.
 */
export async function makeTempDir(name = "tv"): Promise<TempDir> {
  const dir = await mkdtemp(path.join(await realpath(tmpdir()), `${name}-`));
  const remove = () => rm(dir, { recursive: true, force: true, maxRetries: 3, retryDelay: 100 });
  return { path: dir, remove, [Symbol.asyncDispose]: remove };
}
