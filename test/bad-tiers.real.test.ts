import { execFile } from "node:child_process";
import { chmod, copyFile, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Ended } from "../apps/cli/src/testing/ended.ts";
import { runCli } from "../apps/cli/src/testing/spawn-cli.ts";
import { inspectTiers, startSite, type TestSite, webShop } from "./support/site.ts";

let site: TestSite;
let folder: string;
let good: string;
beforeAll(async () => {
  // Everything is kept: many backups of one hour are more than the usual rules leave.
  site = await startSite({ fill: webShop(1), env: { BACKUP_RETENTION: "off" } });
  folder = path.dirname(site.config.backupDir);
  const { code, stdout } = await run({});
  expect(code).toBe(0);
  good = (JSON.parse(stdout) as { backupId: string }).backupId;
});
afterAll(async () => site?.[Symbol.asyncDispose]());

/** A whole backup, as a cron job makes it. */
const run = (env: Record<string, string>) => trivault(["run", "--inline", "--json"], env);

function trivault(args: readonly string[], env: Record<string, string>): Promise<Ended> {
  return runCli(args, { cwd: folder, env: { ...site.env, ...env }, logs: true });
}

/** Copies a key file of the site to a place where it may be spoilt. */
async function keyCopy(name: string, mode: number): Promise<string> {
  const file = path.join(folder, name);
  await copyFile(site.env["BACKUP_SSH_KEY"] ?? "", file);
  await chmod(file, mode);
  return file;
}

const cases: [what: string, tier: string, env: () => Promise<Record<string, string>>, expected: RegExp][] = [
  [
    "another host key than the one configured",
    "remote",
    async () => ({ BACKUP_SSH_KNOWN_HOSTS: "", BACKUP_SSH_HOST_KEY: `SHA256:${"A".repeat(43)}` }),
    /host key|fingerprint/i,
  ],
  [
    "a host that known_hosts does not know",
    "remote",
    async () => {
      await writeFile(path.join(folder, "empty"), "");
      return { BACKUP_SSH_KNOWN_HOSTS: path.join(folder, "empty") };
    },
    /host key|known_hosts/i,
  ],
  ["a key file that is missing", "remote", async () => ({ BACKUP_SSH_KEY: path.join(folder, "nowhere") }), /nowhere/],
  [
    "a key file that others may read",
    "remote",
    async () => ({ BACKUP_SSH_KEY: await keyCopy("open-key", 0o644) }),
    /chmod 600/,
  ],
  ["a server that does not answer", "remote", async () => ({ BACKUP_REMOTE_SERVER: "127.0.0.1:1" }), /127\.0\.0\.1:1/],
  [
    "a bucket that does not exist",
    "cloud",
    async () => ({ BACKUP_S3_BUCKET: "no-such-bucket-here" }),
    /no-such-bucket-here/,
  ],
  [
    "a wrong secret",
    "cloud",
    async () => ({ AWS_SECRET_ACCESS_KEY: "hunter2hunter2" }),
    /AWS_SECRET_ACCESS_KEY|credentials|secret/i,
  ],
];

describe("a backup whose", () => {
  test.each(cases)(
    "tier has %s: %s fails in plain words, the other tiers are served, older backups stay",
    async (_, tier, env, expected) => {
      const { code, stdout, stderr } = await run(await env());
      expect(code).toBe(1);
      const report = JSON.parse(stdout) as {
        backupId: string;
        stages: { tier: string | null; state: string; problem: string | null }[];
      };
      const failed = report.stages.filter(({ state }) => state !== "completed");
      expect(failed.map((stage) => stage.tier)).toEqual([tier]);
      expect(failed[0]?.problem).toMatch(expected);
      expect(failed[0]?.problem).not.toMatch(/\n\s+at |hunter2/);
      expect(stdout + stderr).not.toMatch(/\n\s+at |hunter2/);
      const found = await inspectTiers(site);
      for (const name of ["local", "remote", "cloud"]) {
        expect(found[name]?.complete).toContain(good);
        expect(found[name]?.partial).toEqual([]);
        if (name === tier) expect(found[name]?.complete).not.toContain(report.backupId);
      }
    },
  );

  const asRoot = process.getuid?.() === 0 && process.platform === "linux" ? test : test.failing;
  asRoot(
    "local disk is full: nothing half-done is left, older backups stay (needs root, for a small tmpfs)",
    async () => {
      const small = path.join(folder, "small");
      await mkdir(small);
      await promisify(execFile)("mount", ["-t", "tmpfs", "-o", "size=160k", "tmpfs", small]);
      try {
        expect((await trivault(["site", "new"], { BACKUP_DIR: small })).code).toBe(0);
        const { code, stdout } = await run({ BACKUP_DIR: small });
        expect(code).toBe(1);
        expect(stdout).toMatch(/full|no space/i);
        const left = await promisify(execFile)("find", [
          small,
          "-name",
          "*.age",
          "-o",
          "-name",
          "manifest.json",
          "-o",
          "-name",
          "*.tmp",
        ]); // nor was anything brought back from the other tiers, as it would not fit
        expect(left.stdout).toBe("");
      } finally {
        await promisify(execFile)("umount", [small]);
      }
      expect((await inspectTiers(site))["local"]?.complete).toContain(good);
    },
  );
});
