import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { type Ended, runCli } from "./testing/spawn-cli.ts";

let cwd: string;
beforeEach(async () => {
  cwd = await mkdtemp(path.join(tmpdir(), "cli-"));
});
afterEach(() => rm(cwd, { recursive: true }));

const cli = (line: string, env: Record<string, string> = {}): Promise<Ended> =>
  runCli(
    line.split(" ").filter((word) => word !== ""),
    { cwd, env },
  );

describe("a mistake of the command line", () => {
  test("ends with 2, prints nothing on stdout and opens nothing", async () => {
    const { code, stdout, stderr } = await cli("verify --backup ../../etc", { BACKUP_DIR: path.join(cwd, "b") });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("argument '../../etc' is invalid");
    await expect(stat(path.join(cwd, "b"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("also where it is found later than by the parser", async () => {
    const { code, stderr } = await cli("restore --database shop");
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/^error: no target: say --target/) });
  });

  test("9.C22 warns of a password in --target", async () => {
    const { stderr } = await cli("restore --database shop --target postgresql://u:geheim@h/x");
    expect(stderr).toMatch(
      /^Warning: every user of this machine can read the password in --target\. .*BACKUP_RESTORE_TARGET/,
    );
    expect(stderr).not.toContain("geheim");
  });

  test("repeats no password that was typed", async () => {
    const { code, stderr } = await cli("list postgresql://u:geheim@h/x");
    expect(code).toBe(2);
    expect(stderr).toContain("postgresql://u:***@h/x");
    expect(stderr).not.toContain("geheim");
  });

  test("while --help is none", async () => {
    expect(await cli("run --help")).toMatchObject({ code: 0, stderr: "", stdout: expect.stringContaining("Usage:") });
  });
});

describe("configuration", () => {
  test("all that is missing or wrong is reported at once, with 1", async () => {
    const { code, stdout, stderr } = await cli("run --inline", {
      BACKUP_REMOTE_SERVER: "no host",
      BACKUP_REMOTE_DIR: "/b",
    });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    for (const variable of [
      "DATABASE_URL",
      "BACKUP_ENCRYPTION_RECIPIENTS",
      "BACKUP_REMOTE_SERVER",
      "BACKUP_SSH_USER",
      "BACKUP_SSH_KEY",
    ]) {
      expect(stderr).toContain(`  ${variable} is `);
    }
    expect(stderr).toContain("npm run backup:keys:generate");
    expect(stderr).not.toMatch(/^ +at /m);
  });

  test("with --json the error is the one object on stdout", async () => {
    const { code, stdout } = await cli("run --json");
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual({
      error: { code: "CONFIG_INVALID", message: expect.stringContaining("DATABASE_URL") },
    });
  });

  test("a malformed recipient, even a secret key put there by mistake, is refused and not shown", async () => {
    const secret = `AGE-SECRET-KEY-1${"Q".repeat(58)}`;
    const { code, stderr } = await cli("run --inline", {
      DATABASE_URL: "postgresql://u:geheim@127.0.0.1:1/shop",
      BACKUP_ENCRYPTION_RECIPIENTS: secret,
    });
    expect(code).toBe(1);
    expect(stderr).toContain("BACKUP_ENCRYPTION_RECIPIENTS is (its value is hidden)");
    expect(stderr).not.toContain(secret);
    const typo = await cli("run --inline", {
      DATABASE_URL: "postgresql://u:geheim@127.0.0.1:1/shop",
      BACKUP_ENCRYPTION_RECIPIENTS: `age1${"q".repeat(58)}`,
    });
    expect(typo.code).toBe(1);
    expect(typo.stderr).toMatch(/is not a valid age recipient/);
    expect(typo.stderr.trim().split("\n")).toHaveLength(1);
  });

  test(".env is read, unknown settings are reported, and BACKUP_RESTORE_TARGET is not one of those", async () => {
    await writeFile(
      path.join(cwd, ".env"),
      "BACKUP_DIR=there\nBACKUP_TYPO=1\nBACKUP_RESTORE_TARGET=postgresql://u:geheim@h/x\n",
    );
    const { code, stdout, stderr } = await cli("list");
    expect({ code, stdout }).toEqual({ code: 0, stdout: "No backups were found.\n" });
    expect(stderr).toBe("Warning: BACKUP_TYPO is not a setting of this version and is ignored.\n");
    await expect(stat(path.join(cwd, "there"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("without Redis, run says what to start, or what to say instead", async () => {
    const { code, stderr } = await cli("run", { DATABASE_URL: "postgresql://h/shop", BACKUP_ENCRYPTION: "none" });
    expect(code).toBe(1);
    expect(stderr).toMatch(/REDIS_URL is not set, and no `npm start` runs for .*--inline/);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });

  test("only a configured database can be backed up", async () => {
    const { code, stderr } = await cli("run --inline --database other", {
      DATABASE_URL: "postgresql://h/shop",
      BACKUP_ENCRYPTION: "none",
    });
    expect(code).toBe(1);
    expect(stderr).toBe('No database named "other" is configured here; there is shop.\n');
  });
});

test("9.C22 no name of a database or a file does anything to the terminal", async () => {
  const odd = "od\u001B[2J\u009B31m\nd";
  const url = `postgresql://u:p@nowhere.invalid/${encodeURIComponent(odd)}`;
  const env = { DATABASE_URL: url, BACKUP_ENCRYPTION: "none", BACKUP_DIR: path.join(cwd, odd.replace("\n", "")) };
  const outputs = [await cli("run --inline", env), await cli("config check --offline", env), await cli("list", env)];
  for (const { stdout, stderr } of outputs) {
    expect(stdout + stderr).not.toMatch(/[^\n\P{Cc}]/u);
    expect(stdout + stderr).not.toMatch(/^d\b/m);
  }
  expect(outputs.map(({ stdout, stderr }) => stdout + stderr).join("")).toContain(String.raw`\x9b31m`);
});

test("9.C22 what is laid out in lines comes out in lines", async () => {
  await writeFile(path.join(cwd, "key"), "no key", { mode: 0o600 });
  const sftp = { BACKUP_REMOTE_SERVER: "127.0.0.1:1", BACKUP_SSH_USER: "u", BACKUP_REMOTE_DIR: "/b" };
  const env = { ...sftp, BACKUP_SSH_KEY: "key", BACKUP_SSH_HOST_KEY: `SHA256:${"A".repeat(43)}` };
  expect((await cli("site new")).stdout).toMatch(
    /^Site +\w{16}\nBegun +\d.*\nFolder +\/.*\nHosts .*\nSigning key +tvsign1\S+\n$/,
  );
  expect((await cli("site show")).stdout).toMatch(/^Site .*\nBegun /);
  expect((await cli("sync test", env)).stdout).toMatch(
    /^remote: .*\n.* FAILED .*\n +what to do: .*\nremote: FAILED at "/s,
  );
  const { stdout } = await cli("health --fresh", { DATABASE_URL: "postgresql://u@h/shop" });
  expect(stdout).toMatch(/^DATABASE .*\nshop /m);
});

describe("keys generate", () => {
  test("works without any configuration, keeps secrets to their files, and never overwrites", async () => {
    const { code, stdout, stderr } = await cli("keys generate --json", {
      BACKUP_ENCRYPTION_RECIPIENTS: "not made yet",
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const made = JSON.parse(stdout);
    expect(made).toEqual({
      recipient: expect.stringMatching(/^age1[0-9a-z]{58}$/),
      signingPublicKey: expect.stringMatching(/^tvsign1/),
      identityFile: path.join(cwd, "trivault-identity.txt"),
      signingKeyFile: path.join(cwd, "backups/.trivault/signing.key"),
    });
    const identity = await readFile(made.identityFile, "utf8");
    expect(identity).toContain(made.recipient);
    expect(identity).toContain(made.signingPublicKey);
    for (const file of [made.identityFile, made.signingKeyFile]) expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(stdout).not.toContain("AGE-SECRET-KEY-");

    const again = await cli("keys generate");
    expect(again.code).toBe(1);
    expect(again.stderr).toContain("exists and is left as it is");
    expect(await readFile(made.identityFile, "utf8")).toBe(identity);

    const second = await cli("keys generate --identity-file escrow.txt");
    expect(second.code).toBe(0);
    expect(second.stdout).toContain(made.signingPublicKey);
    expect(second.stdout).toMatch(/^ {2}BACKUP_ENCRYPTION_RECIPIENTS=age1[0-9a-z]{58}$/m);
    expect(second.stdout).not.toContain(made.recipient);
  });

  test("9.C22 puts the secret nowhere within a clone, unless that is asked for", async () => {
    const clone = path.join(cwd, "clone");
    await mkdir(path.join(clone, "sub"), { recursive: true });
    await mkdir(path.join(clone, ".git"));
    const { stdout } = await runCli(["keys", "generate", "--json"], {
      cwd: path.join(clone, "sub"),
      env: { HOME: cwd },
    });
    expect(JSON.parse(stdout)).toMatchObject({ identityFile: path.join(cwd, "trivault-identity.txt") });
  });
});
