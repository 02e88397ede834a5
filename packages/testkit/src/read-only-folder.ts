import { execFileSync } from "node:child_process";

/**
 * Mounts a folder over itself, read-only: to whoever writes there, a disk with errors (EROFS), with all that lies on it still to
 * be read. Needs root, on Linux. What is opened for writing already stays so.
 */
export function readOnlyFolder(folder: string): Disposable {
  execFileSync("mount", ["--bind", folder, folder]);
  const unmount = () => execFileSync("umount", ["--lazy", folder]);
  try {
    execFileSync("mount", ["-o", "remount,ro,bind", folder]);
  } catch (error) {
    unmount();
    throw error;
  }
  return { [Symbol.dispose]: unmount };
}
