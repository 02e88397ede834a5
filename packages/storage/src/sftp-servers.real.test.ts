import { randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { backupKey, newBackupId } from "@trivault/core";
import { type SftpServer, sftpTierOf, startProftpd, startRcloneSftp } from "@trivault/testkit";
import { describeStore } from "@trivault/testkit/store-suite";
import { probeTier } from "./probe.ts";
import { sftpStore } from "./sftp.ts";
import { bytesSource } from "./source.ts";
import { SFTP_TRAITS, sftpHarness } from "../test/sftp-harness.ts";

/** Servers that are not OpenSSH's: smaller packets, other answers, fewer extensions. */
for (const [name, start, facts] of [
  ["ProFTPD", () => startProftpd(), { capacity: true, write: /on its disk/, rename: /never replaces/ }],
  ["rclone", () => startRcloneSftp(), { capacity: false, write: /no fsync@openssh/, rename: /looks before/ }],
] as const) {
  describe(`an SFTP tier on ${name}`, () => {
    let server: SftpServer;
    beforeAll(async () => {
      server = await start();
    });
    afterAll(() => server?.stop());

    describeStore("store", async () => ({ ...sftpHarness(server), stop: async () => {} }), SFTP_TRAITS);

    test("9.B13 an extension that it lacks is an ordinary answer, and the connection goes on", async () => {
      // Shorter than any keepalive: a connection that hangs fails here.
      const store = sftpStore(sftpTierOf(server), { idleTimeoutMs: 10_000 });
      const key = backupKey("shop", newBackupId(), "data-000001.zst.age");
      expect((await store.capacity()) !== null).toBe(facts.capacity);
      expect(await store.put(key, bytesSource(randomBytes(10)))).toBe("stored");
      expect((await store.capacity()) !== null).toBe(facts.capacity);
      expect(await store.stat(key)).toMatchObject({ size: 10 });
      await store.delete(key);
      await store.close();
    });

    test("9.B14 its test writes as a backup does, says what it cannot do, and leaves nothing", async () => {
      const before = await readdir(server.folder);
      const tier = sftpTierOf(server, { directory: `${server.directory}/probed` });
      const steps = await Array.fromAsync(probeTier(tier, { signal: AbortSignal.timeout(60_000) }));
      expect(steps.filter(({ ok }) => ok !== true)).toEqual([]);
      const detailOf = (wanted: string) => steps.find(({ step }) => step === wanted)?.detail;
      expect(detailOf("write")).toMatch(facts.write);
      expect(detailOf("rename")).toMatch(facts.rename);
      expect(await readdir(server.folder)).toEqual(before);
    });
  });
}
