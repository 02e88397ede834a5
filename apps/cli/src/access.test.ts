import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { openAccess } from "@trivault/access";
import { silentLogger } from "@trivault/core";
import { makeTempDir, type TempDir } from "@trivault/testkit";
import { runCli } from "./testing/spawn-cli.ts";

const PASSWORD = "correct horse battery";
let dir: TempDir;
beforeEach(async () => {
  dir = await makeTempDir("tv-cli-access");
});
afterEach(() => dir.remove());

const cli = (line: string, stdin?: string) =>
  runCli(line.split(" "), {
    cwd: dir.path,
    env: { BACKUP_DIR: path.join(dir.path, "backups") },
    ...(stdin === undefined ? {} : { stdin }),
  });
const accessFile = () => path.join(dir.path, "backups/.trivault/access.json");
const access = () => openAccess({ file: accessFile(), log: silentLogger() });

async function recorded(): Promise<string> {
  const folder = path.join(dir.path, "backups/.trivault/audit");
  const files = (await readdir(folder)).filter((name) => name.endsWith(".jsonl"));
  return (await Promise.all(files.map((name) => readFile(path.join(folder, name), "utf8")))).join("");
}

test("a token is printed once, opens the API, is listed and revoked", async () => {
  const made = await cli("token create --name ci --role operator");
  expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^tv_[\w-]{43}\n$/) });
  expect(made.stderr).toMatch(/token ci \(operator\); it is good until .* UTC\. It is not shown again/);
  expect((await stat(accessFile())).mode & 0o777).toBe(0o600);
  const token = made.stdout.trim();
  expect(await access().checkToken(token)).toMatchObject({ actor: "token:ci", role: "operator" });

  const { tokens } = JSON.parse((await cli("token list --json")).stdout);
  expect(tokens).toMatchObject([{ name: "ci", role: "operator", createdBy: expect.stringMatching(/^user:.+@.+/) }]);
  const days = (Date.parse(tokens[0].expiresAt) - Date.parse(tokens[0].createdAt)) / 86_400_000;
  expect(days).toBe(90);
  expect(await cli("token revoke ci")).toEqual({
    code: 0,
    stdout: "The token ci is revoked; it opens nothing any more\n",
    stderr: "",
  });
  expect(await access().checkToken(token)).toBeNull();
  const events = await recorded();
  expect(events).toMatch(/"access\.token".*"change":"created","token":"ci"[^]*"access\.token".*"change":"revoked"/);
  expect(events).not.toContain(token);
});

test("a user is added with a password from stdin, can log in, and is reset and removed", async () => {
  const added = JSON.parse((await cli("user add --name alice --role admin --json", `${PASSWORD}\n`)).stdout);
  expect(added).toMatchObject({ name: "alice", role: "admin", recoveryCodes: { length: 10 } });
  const secret = new URL(added.otpauthUrl).searchParams.get("secret") ?? "";
  const [code] = added.recoveryCodes;
  const attempt = { name: "alice", password: PASSWORD, ip: "192.0.2.1", device: null };
  const entered = await access().login({ ...attempt, code });
  if (entered.status !== "ok") throw new Error(entered.status);
  expect(JSON.parse((await cli("user list --json")).stdout)).toMatchObject({
    users: [{ name: "alice", role: "admin", lastLoginAt: expect.any(String), recoveryCodesLeft: 9 }],
  });

  const reset = await cli("user reset alice --role viewer", "another horse battery");
  expect(reset).toMatchObject({ code: 0, stderr: expect.stringMatching(/^None of this is shown again/) });
  expect(reset.stdout).toMatch(
    /new password and second factor[^]*otpauth:\/\/totp\/Trivault:alice\?[^]*(?:  [a-z2-7-]{19}\n){10}/,
  );
  expect(await access().session(entered.session)).toBeNull();
  expect(await cli("user remove alice --json")).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('"removed": true'),
  });
  const events = await recorded();
  expect(events).toMatch(/"change":"added"[^]*"change":"reset"[^]*"change":"removed"/);
  for (const secretText of [PASSWORD, "another horse", secret, code]) {
    expect(events).not.toContain(secretText);
  }
});

const REFUSED: readonly [string, number, RegExp][] = [
  ["token create --role admin", 2, /required option '--name/],
  ["token create --name ci", 2, /required option '--role/],
  ["token create --name ci --role root", 2, /Allowed choices are viewer, operator, admin/],
  ["token create --name ci --role admin --expires soon", 2, /Expected a duration such as 90d or 12h, or never/],
  ["token create --name default --role admin", 1, /may not be called default/],
  ["token revoke ci", 1, /no token "ci"; there is: none/],
  ["user add --name alice --role admin", 1, /too short: it takes at least 12 characters/],
  ["user reset alice", 1, /no user "alice"; there is: none/],
  ["user remove alice", 1, /no user "alice"/],
];

test("what is mistyped or unknown is refused, and nothing is made", async () => {
  for (const [line, code, reason] of REFUSED) {
    const ended = await cli(line, "short");
    expect({ line, ...ended }).toEqual({ line, code, stdout: "", stderr: expect.stringMatching(reason) });
  }
  await expect(stat(accessFile())).rejects.toMatchObject({ code: "ENOENT" });
});
