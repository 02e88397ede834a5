import { chown, stat } from "node:fs/promises";

const NOBODY = 65_534;

/** For as long as it is held, the file or folder belongs to another user than ours: root gives it away, others are renamed. */
export async function ofAnotherUser(file: string): Promise<AsyncDisposable> {
  const { getuid } = process;
  const { uid, gid } = await stat(file);
  if (uid === 0) {
    await chown(file, NOBODY, NOBODY);
    return { [Symbol.asyncDispose]: () => chown(file, uid, gid) };
  }
  process.getuid = () => uid + 1;
  return {
    async [Symbol.asyncDispose]() {
      if (getuid) process.getuid = getuid;
    },
  };
}
