import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { inspect } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { backupKey, newBackupId, type SftpTierConfig } from "@trivault/core";
import { type Sshd, type SshdOptions, sftpTierOf, startSshd, startTcpProxy } from "@trivault/testkit";
import { chunked, describeStore } from "@trivault/testkit/store-suite";
import { sftpStore } from "./sftp.ts";
import { sshNativeAddonLoaded } from "./ssh-native-addon.ts";
import { bytesSource, hashAll } from "./source.ts";
import type { Store } from "./store.ts";
import { SFTP_TRAITS, sftpHarness } from "../test/sftp-harness.ts";

const MIB = 1024 * 1024;
const newKey = () => backupKey("shop", newBackupId(), "data-000001.zst.age");

for (const [name, config] of [
  ["SFTP store", []],
  ["SFTP store on a server that runs no commands", ["ForceCommand internal-sftp"]],
] as const) {
  describeStore(name, async () => sftpHarness(await startSshd({ config })), SFTP_TRAITS);
}

test("ssh2 runs with its native addon here", () => {
  expect(sshNativeAddonLoaded()).toBe(true);
});

describe("SFTP store", () => {
  let server: Sshd;
  const opened: Store[] = [];
  const servers: Sshd[] = [];
  beforeAll(async () => {
    server = await startSshd({ hostKeyTypes: ["rsa", "ecdsa", "ed25519"] });
  });
  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close();
    for (const each of servers.splice(0)) await each.stop();
  });
  afterAll(() => server?.stop());

  function open(config: SftpTierConfig, timeouts?: Parameters<typeof sftpStore>[1]): Store {
    const store = sftpStore(config, timeouts);
    opened.push(store);
    return store;
  }

  async function start(options: SshdOptions): Promise<Sshd> {
    const each = await startSshd(options);
    servers.push(each);
    return each;
  }

  async function failure(config: SftpTierConfig): Promise<Error> {
    const outcome: unknown = await open(config)
      .stat(newKey())
      .catch((error: unknown) => error);
    if (!(outcome instanceof Error)) throw new Error("it was let in");
    return outcome;
  }

  test("keeps files and folders from the server's other users, and leaves no temporary file", async () => {
    const key = newKey();
    const config = sftpTierOf(server);
    await open(config).put(key, bytesSource(randomBytes(10)));
    const mode = (name: string) => statSync(path.join(config.directory, name)).mode & 0o777;
    expect(mode(key)).toBe(0o600);
    for (const folder of ["", "shop", path.dirname(key)]) expect(mode(folder)).toBe(0o700);
    expect(readdirSync(path.dirname(path.join(config.directory, key)))).toEqual([path.basename(key)]);
  });

  test("9.B14 a server that stores other bytes than it was sent is named, and not the source", async () => {
    const key = newKey();
    const config = sftpTierOf(server);
    const source = bytesSource(randomBytes(MIB));
    let moved = 0;
    const spoil = (count: number) => {
      moved += count;
      if (moved < MIB) return;
      const folder = path.dirname(path.join(config.directory, key));
      writeFileSync(path.join(folder, readdirSync(folder)[0] ?? ""), "x", { flag: "r+" });
    };
    await expect(open(config).put(key, source, { onBytes: spoil })).rejects.toMatchObject({
      code: "CORRUPT",
      message: expect.stringMatching(/stored other bytes .* than it was sent.*look at that server's disk/),
    });
    expect(readdirSync(path.dirname(path.join(config.directory, key)))).toEqual([]);
  });

  test("a folder with quotes and spaces is hashed where it lies", async () => {
    const directory = path.join(server.directory, `it's $(touch ${server.directory}/pwned) "here"`);
    const store = open(sftpTierOf(server, { directory }));
    const source = bytesSource(randomBytes(MIB));
    const key = newKey();
    expect(await store.put(key, source)).toBe("stored");
    expect(await store.holds(key, source)).toBe(true);
    expect(existsSync(path.join(server.directory, "pwned"))).toBe(false);
  });

  test("a folder in the user's home may be given as ~/…", async () => {
    const name = `trivault-test-${randomBytes(6).toString("hex")}`;
    const store = open(sftpTierOf(server, { directory: `~/${name}` }));
    const key = newKey();
    try {
      await store.put(key, bytesSource(randomBytes(MIB)));
      expect(await store.stat(key)).toMatchObject({ size: MIB });
    } finally {
      await store.delete(key);
      await store.close();
      execFileSync("rm", ["-r", path.join(process.env["HOME"] ?? "/root", name)]);
    }
  });

  test("9.C17 the key itself may be given in the environment, and is named by its variable", async () => {
    const before = process.env["BACKUP_SSH_KEY"];
    process.env["BACKUP_SSH_KEY"] = readFileSync(server.keyFile, "utf8").replaceAll("\n", String.raw`\n`);
    try {
      expect(await open(sftpTierOf(server, { keyFile: "env:BACKUP_SSH_KEY" })).stat(newKey())).toBeNull();
      process.env["BACKUP_SSH_KEY"] = "-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0";
      const error = await failure(sftpTierOf(server, { keyFile: "env:BACKUP_SSH_KEY" }));
      expect(error).toMatchObject({ code: "KEY_FILE", message: expect.stringContaining("env:BACKUP_SSH_KEY") });
      expect(inspect(error)).not.toContain("c2VjcmV0");
    } finally {
      if (before === undefined) delete process.env["BACKUP_SSH_KEY"];
      else process.env["BACKUP_SSH_KEY"] = before;
    }
  });

  describe("host key", () => {
    test("a fingerprint of any of the server's key types is accepted", async () => {
      const lines = readFileSync(server.knownHostsFile, "utf8").trim().split("\n");
      expect(lines).toHaveLength(3);
      for (const line of lines) {
        const file = path.join(server.directory, "..", "one.pub");
        writeFileSync(file, line.split(" ").slice(1).join(" "));
        const fingerprint = execFileSync("ssh-keygen", ["-lf", file], { encoding: "utf8" }).split(" ")[1] ?? "";
        expect(await open(sftpTierOf(server, { hostKey: { fingerprint } })).stat(newKey())).toBeNull();
      }
    });

    test.each([0, 1, 2])("a known_hosts file with one of them is enough (%i), and may be hashed", async (index) => {
      const line = readFileSync(server.knownHostsFile, "utf8").trim().split("\n")[index] ?? "";
      const file = path.join(server.directory, "..", `known_${index}`);
      writeFileSync(file, `# comment\n${line}\n`);
      const config = sftpTierOf(server, { hostKey: { knownHostsFile: file } });
      expect(await open(config).stat(newKey())).toBeNull();
      execFileSync("ssh-keygen", ["-q", "-H", "-f", file], { stdio: "ignore" });
      expect(readFileSync(file, "utf8")).toContain("|1|");
      expect(await open(config).stat(newKey())).toBeNull();
    });

    const cases = {
      "a fingerprint of another key": (): Partial<SftpTierConfig> => ({
        hostKey: { fingerprint: `SHA256:${"A".repeat(43)}` },
      }),
      "a known_hosts file with another key for it": (each: Sshd): Partial<SftpTierConfig> => {
        const line = readFileSync(server.knownHostsFile, "utf8").split("\n").at(2) ?? "";
        writeFileSync(each.knownHostsFile, line.replace(String(server.port), String(each.port)));
        return { hostKey: { knownHostsFile: each.knownHostsFile } };
      },
      "a known_hosts file that does not know it": (each: Sshd): Partial<SftpTierConfig> => {
        writeFileSync(each.knownHostsFile, readFileSync(server.knownHostsFile));
        return { hostKey: { knownHostsFile: each.knownHostsFile } };
      },
      "a known_hosts file that marks it revoked": (each: Sshd): Partial<SftpTierConfig> => {
        const lines = readFileSync(each.knownHostsFile, "utf8");
        writeFileSync(each.knownHostsFile, `${lines}@revoked ${lines}`);
        return { hostKey: { knownHostsFile: each.knownHostsFile } };
      },
      "no known_hosts file": (): Partial<SftpTierConfig> => ({ hostKey: { knownHostsFile: "/no/such/file" } }),
    };
    test.each(Object.entries(cases))("%s: refused, reported, and no credential was sent", async (name, change) => {
      const each = await start({});
      const error = await failure(sftpTierOf(each, change(each)));
      expect(error).toMatchObject({ code: "HOST_KEY", permanent: true });
      if (name === "no known_hosts file") {
        expect(error.message).toContain("ssh-keyscan");
      } else {
        expect(error.message).toContain(each.fingerprint);
        // VERBOSE logs each key and user that is tried.
        expect(each.log()).toContain("Connection from 127.0.0.1");
      }
      expect(each.log()).not.toMatch(/publickey|Accepted|Failed|Postponed/);
    });
  });

  describe("key file", () => {
    const file = (name: string) => path.join(server.directory, "..", name);
    const cases: Record<string, [() => string, RegExp]> = {
      missing: [() => file("nothing"), /no SSH key at .*ssh-keygen/],
      "open to others": [
        () => {
          execFileSync("cp", [server.keyFile, file("open")]);
          chmodSync(file("open"), 0o640);
          return file("open");
        },
        /open to other users.*mode 640.*chmod 600/,
      ],
      "with a passphrase": [
        () => {
          execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "secret", "-f", file("locked")]);
          return file("locked");
        },
        /passphrase/,
      ],
      "a public key": [
        () => {
          chmodSync(`${server.keyFile}.pub`, 0o600);
          return `${server.keyFile}.pub`;
        },
        /public key/,
      ],
      "not a key": [
        () => {
          writeFileSync(file("junk"), "junk", { mode: 0o600 });
          return file("junk");
        },
        /not a private SSH key/,
      ],
      "a folder": [() => server.directory, /cannot be read|open to other users/],
    };
    test.each(Object.entries(cases))("%s: refused, with advice", async (_, [keyFile, advice]) => {
      const error = await failure(sftpTierOf(server, { keyFile: keyFile() }));
      expect(error).toMatchObject({ code: "KEY_FILE", permanent: true });
      expect(error.message).toMatch(advice);
    });

    test("one that the server does not accept is STORE_REFUSED, with advice", async () => {
      execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", file("other")]);
      const error = await failure(sftpTierOf(server, { keyFile: file("other") }));
      expect(error).toMatchObject({ code: "STORE_REFUSED", permanent: true });
      expect(error.message).toMatch(/authorized_keys.*BACKUP_SSH_USER/);
    });
  });

  test.each([["ForceCommand /bin/false"], ["ForceCommand /bin/sleep 100"]])(
    "a server that starts no SFTP (%s) is reported, in bounded time",
    async (line) => {
      const each = await start({ config: [line] });
      await expect(open(sftpTierOf(each), { connectTimeoutMs: 1_000 }).stat(newKey())).rejects.toMatchObject({
        code: "STORE_UNREACHABLE",
        message: expect.stringContaining("Subsystem sftp internal-sftp"),
      });
    },
  );

  test("connections that MaxStartups drops are worth a retry", async () => {
    const each = await start({ config: ["MaxStartups 1:100:1"] });
    const idle = await startTcpProxy(each);
    const { connect } = await import("node:net");
    const waiting = connect({ host: "127.0.0.1", port: idle.port });
    await new Promise((resolve) => waiting.once("data", resolve)); // An unauthenticated connection takes the only place.
    expect(await failure(sftpTierOf(each))).toMatchObject({ code: "STORE_UNREACHABLE", permanent: false });
    waiting.destroy();
    await idle.stop();
  });

  test.each(["put", "get", "stat", "first call"])(
    "a %s over a link that went dead ends in bounded time",
    async (verb) => {
      const proxy = await startTcpProxy(server);
      const config = sftpTierOf(server, { port: proxy.port });
      const [key, source] = [newKey(), chunked(randomBytes(16 * MIB), 64 * 1024)];
      if (verb === "get") await open(sftpTierOf(server)).put(key, source);
      const store = open(config, verb === "first call" ? { connectTimeoutMs: 1_000 } : { idleTimeoutMs: 1_000 });
      if (verb === "first call") proxy.blackhole();
      else await store.capacity();
      const began = performance.now();
      const work = async () => {
        if (verb === "put") await store.put(newKey(), source, { onBytes: () => proxy.blackhole() });
        if (verb === "get") for await (const _ of store.get(key)) proxy.blackhole();
        proxy.blackhole();
        await store.stat(key);
      };
      await expect(work()).rejects.toMatchObject({ code: "STORE_UNREACHABLE", permanent: false });
      expect(performance.now() - began).toBeLessThan(12_000);
      await store.close();
      await proxy.stop();
    },
    30_000,
  );

  test("the same client works again after its connection broke", async () => {
    const proxy = await startTcpProxy(server);
    const store = open(sftpTierOf(server, { port: proxy.port }));
    const [key, source] = [newKey(), bytesSource(randomBytes(2 * MIB))];
    await store.put(key, source);
    for (let i = 0; i < 3; i++) {
      proxy.cutAfter(0);
      await store.stat(key).catch(() => {});
      expect(await hashAll(store.get(key))).toMatchObject({ sha256: source.sha256 });
    }
    await store.close();
    await proxy.stop();
  });

  test("a folder where it may not write is refused for good", async () => {
    const each = await start({ config: ["Subsystem sftp-none /bin/false"] });
    const error: unknown = await open(sftpTierOf(each, { directory: "/proc/trivault" }))
      .put(newKey(), bytesSource(randomBytes(3)))
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: expect.stringMatching(/STORE_REFUSED|STORE_FAILED/) });
  });

  // Only root may mount; elsewhere the same code runs in the suite's other tests.
  const asRoot = process.platform === "linux" && process.getuid?.() === 0 ? test : test.skip;

  asRoot("a full disk on the server is STORE_FULL, and leaves nothing half-done", async () => {
    const directory = path.join(server.directory, "small");
    await mkdir(directory);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", directory]);
    try {
      const store = open(sftpTierOf(server, { directory }));
      const first = newKey();
      await store.put(first, bytesSource(randomBytes(MIB)));
      const second = newKey();
      await expect(store.put(second, bytesSource(randomBytes(4 * MIB)))).rejects.toMatchObject({ code: "STORE_FULL" });
      expect(readdirSync(path.dirname(path.join(directory, second)))).toEqual([]);
      expect((await Array.fromAsync(store.list(""))).map((object) => object.key)).toEqual([first]);
      expect((await store.capacity())?.total).toBe(2 * MIB);
    } finally {
      execFileSync("umount", [directory]);
    }
  });
});
