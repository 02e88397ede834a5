import { execFileSync } from "node:child_process";
import { chmod, mkdtemp, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { withPrivateFile } from "./private-file.ts";

let root: string;
let file: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), "private-"));
  file = path.join(root, "key");
  await writeFile(file, "secret", { mode: 0o600 });
});
afterEach(() => rm(root, { recursive: true }));

const problemOf = (name: string, us?: number) => withPrivateFile(name, async ({ problem }) => problem, us);

describe("9.C18 a file that holds a secret", () => {
  it("is ours, and closed to others, also where a link leads to it", async () => {
    await symlink(file, path.join(root, "link"));
    expect(await problemOf(file)).toBeNull();
    expect(await problemOf(path.join(root, "link"))).toBeNull();
    expect(await withPrivateFile(file, async ({ bytes }) => (await bytes()).toString())).toBe("secret");
  });

  it("may be open to nobody else", async () => {
    await chmod(file, 0o640);
    expect(await problemOf(file)).toContain("chmod 600");
  });

  it("may not belong to somebody else, who could exchange it; root can anyway", async () => {
    const { uid } = await stat(file);
    const problem = await problemOf(file, uid + 1);
    if (uid === 0) expect(problem).toBeNull();
    else expect(problem).toContain(`belongs to user ${uid}`);
    if (uid !== 0) return;
    execFileSync("chown", ["65534", file]);
    expect(await problemOf(file)).toContain("belongs to user 65534");
  });

  it("is no pipe that holds up whoever opens it", async () => {
    execFileSync("mkfifo", [path.join(root, "pipe")]);
    expect(await problemOf(path.join(root, "pipe"))).toBe("is no file.");
  });
});
