import { accessSync, constants } from "node:fs";
import path from "node:path";

/** The absolute path of a program, also in the sbin folders that a plain user's PATH lacks; throws with its Debian package. */
export function findProgram(name: string, debianPackage: string): string {
  const folders = [...(process.env["PATH"] ?? "").split(path.delimiter), "/usr/sbin", "/usr/local/sbin", "/sbin"];
  for (const folder of folders.filter((each) => each !== "")) {
    const file = path.join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // Not in this folder.
    }
  }
  throw new Error(`${name} is not installed: apt-get install ${debianPackage}`);
}
