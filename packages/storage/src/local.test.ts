import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { backupKey, newBackupId } from "@trivault/core";
import { describeStore } from "@trivault/testkit/store-suite";
import { localStore } from "./local.ts";
import { bytesSource } from "./source.ts";

describeStore(
  "local store",
  async () => {
    const directory = mkdtempSync(path.join(tmpdir(), "trivault-local-"));
    return {
      open: () => localStore({ directory: path.join(directory, "not/yet/there") }),
      async place(name, bytes) {
        const file = path.join(directory, "not/yet/there", name);
        await mkdir(path.dirname(file), { recursive: true });
        await writeFile(file, bytes);
      },
      stop: async () => rmSync(directory, { recursive: true }),
    };
  },
  { temporaryFiles: true },
);

describe("local store", () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), "trivault-local-"));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));
  const key = backupKey("shop", newBackupId(), "data-000001.zst.age");

  test("keeps files and folders from other users", async () => {
    const root = path.join(directory, "backups");
    await localStore({ directory: root }).put(key, bytesSource(randomBytes(10)));
    const mode = (name: string) => statSync(path.join(root, name)).mode & 0o777;
    expect(mode(key)).toBe(0o600);
    for (const folder of ["", "shop", path.dirname(key)]) expect(mode(folder)).toBe(0o700);
    expect(readdirSync(path.dirname(path.join(root, key)))).toEqual([path.basename(key)]);
  });

  describe("create", () => {
    const bytes = randomBytes(100_000);
    const write = async (file: number) => void writeSync(file, bytes);
    const folder = () => path.dirname(path.join(directory, key));

    test("publishes what was written, whole, and leaves nothing else", async () => {
      const store = localStore({ directory });
      await store.create?.(key, write);
      expect(readFileSync(path.join(directory, key))).toEqual(bytes);
      expect(statSync(path.join(directory, key)).mode & 0o777).toBe(0o600);
      expect(readdirSync(folder())).toEqual([path.basename(key)]);
    });

    test("what lies there stays, whether it came before or meanwhile", async () => {
      const store = localStore({ directory });
      await store.put(key, bytesSource(Buffer.from("first")));
      const never = () => Promise.reject(new Error("written all the same"));
      await expect(store.create?.(key, never)).rejects.toMatchObject({ code: "EXISTS", permanent: true });
      await store.delete(key);
      const overtaken = async (file: number) => {
        await write(file);
        await store.put(key, bytesSource(Buffer.from("first")));
      };
      await expect(store.create?.(key, overtaken)).rejects.toMatchObject({ code: "EXISTS", permanent: true });
      expect(readFileSync(path.join(directory, key), "utf8")).toBe("first");
      expect(readdirSync(folder())).toEqual([path.basename(key)]);
    });

    test("where writing fails or is cancelled, nothing is there", async () => {
      const store = localStore({ directory });
      const failing = async (file: number) => {
        await write(file);
        throw Object.assign(new Error("no space left"), { code: "ENOSPC" });
      };
      await expect(store.create?.(key, failing)).rejects.toMatchObject({ code: "STORE_FULL" });
      const controller = new AbortController();
      const cancelled = async (file: number) => {
        await write(file);
        controller.abort();
      };
      const { signal } = controller;
      await expect(store.create?.(key, cancelled, { signal })).rejects.toMatchObject({ code: "CANCELLED" });
      expect(readdirSync(folder())).toEqual([]);
    });
  });

  test("does not follow a link that was placed in it", async () => {
    writeFileSync(path.join(directory, "secret"), "secret");
    mkdirSync(path.join(directory, "tier", path.dirname(key)), { recursive: true });
    symlinkSync(path.join(directory, "secret"), path.join(directory, "tier", key));
    const store = localStore({ directory: path.join(directory, "tier") });
    await expect(Array.fromAsync(store.get(key))).rejects.toMatchObject({ code: "STORE_REFUSED" });
    expect(await store.stat(key)).toBeNull();
    expect(await Array.fromAsync(store.list(""))).toEqual([]);
    await expect(store.put(key, bytesSource(randomBytes(3)))).rejects.toThrow();
    expect(readFileSync(path.join(directory, "secret"), "utf8")).toBe("secret");
  });

  test("a file where a folder should be is refused, with its path", async () => {
    writeFileSync(path.join(directory, "file"), "");
    const store = localStore({ directory: path.join(directory, "file") });
    await expect(store.put(key, bytesSource(randomBytes(3)))).rejects.toMatchObject({
      code: "STORE_REFUSED",
      permanent: true,
      message: expect.stringContaining(path.join(directory, "file")),
    });
  });

  test("delete removes the folder of a backup with its last file", async () => {
    const store = localStore({ directory });
    await store.put(key, bytesSource(randomBytes(3)));
    await store.delete(key);
    expect(readdirSync(path.join(directory, "shop"))).toEqual([]);
  });

  // Only root may mount; elsewhere the same code runs in the suite's other tests.
  const asRoot = process.platform === "linux" && process.getuid?.() === 0 ? test : test.skip;

  asRoot("a full disk is STORE_FULL, and leaves nothing half-done", async () => {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", directory]);
    try {
      const store = localStore({ directory });
      await store.put(key, bytesSource(randomBytes(100_000)));
      const second = backupKey("shop", newBackupId(), "data-000001.zst.age");
      await expect(store.put(second, bytesSource(randomBytes(2_000_000)))).rejects.toMatchObject({
        code: "STORE_FULL",
        message: expect.stringContaining("Free space"),
      });
      expect(readdirSync(path.dirname(path.join(directory, second)))).toEqual([]);
      expect((await Array.fromAsync(store.list(""))).map((object) => object.key)).toEqual([key]);
    } finally {
      execFileSync("umount", [directory]);
    }
  });

  asRoot("a read-only disk is refused for good", async () => {
    execFileSync("mount", ["-t", "tmpfs", "-o", "ro,size=1m", "tmpfs", directory]);
    try {
      await expect(localStore({ directory }).put(key, bytesSource(randomBytes(3)))).rejects.toMatchObject({
        code: "STORE_REFUSED",
        permanent: true,
      });
    } finally {
      execFileSync("umount", [directory]);
    }
  });
});
