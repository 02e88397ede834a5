import { inspect } from "node:util";
import { describe, expect, test } from "@jest/globals";
import { FIELDS } from "./fields.ts";
import { keyOfEnvironment } from "./key-text.ts";
import { resolveConfig } from "./resolve.ts";

const BODY = "c2VjcmV0LWtleS1tYXRlcmlhbA";
const PEM = `-----BEGIN OPENSSH PRIVATE KEY-----\n${BODY}\n-----END OPENSSH PRIVATE KEY-----\n`;
const IDENTITY = `# created\nAGE-SECRET-KEY-1${BODY.toUpperCase()}\n`;
const SFTP = {
  BACKUP_REMOTE_SERVER: "h",
  BACKUP_SSH_USER: "u",
  BACKUP_REMOTE_DIR: "/d",
  BACKUP_SSH_HOST_KEY: `SHA256:${"A".repeat(43)}`,
};

/** All that is ever told of a configuration: itself, or the error. */
function told(env: Record<string, string>): string {
  try {
    return inspect(resolveConfig(env, "read"), { depth: null });
  } catch (error) {
    return String(error) + inspect(error, { depth: null });
  }
}

const PATHS = Object.entries(FIELDS)
  .filter(([, { right }]) => /\bpath\b|\bfolder\b/.test(right))
  .map(([variable]) => variable);

test("9.C17 there are settings that take a path", () => {
  expect(PATHS.length).toBeGreaterThan(9);
});

describe.each(PATHS)("9.C17 %s", (variable) => {
  test.each([
    ["a private key", PEM],
    ["a private key on one line", PEM.replaceAll("\n", " ")],
    ["an identity", IDENTITY],
    ["a key in base64", Buffer.from(PEM).toString("base64")],
    ["several lines", `/srv\n${BODY}`],
    ["a URL", `postgresql://u:${BODY}@h/db`],
  ])("never shows %s", (_, secret) => {
    const text = told({ ...SFTP, BACKUP_SSH_KEY: "k", [variable]: secret });
    expect(text.toLowerCase()).not.toContain(BODY.toLowerCase());
    expect(text).not.toContain(secret.slice(5, 60));
  });
});

test("9.C17 a key itself is taken for the variables of key files, as a reference to the variable", () => {
  const config = resolveConfig(
    { ...SFTP, BACKUP_SSH_KEY: PEM, BACKUP_IDENTITY_FILE: IDENTITY, BACKUP_SIGNING_KEY_FILE: PEM },
    "read",
  );
  expect(config.identityFile).toBe("env:BACKUP_IDENTITY_FILE");
  expect(config.signingKeyFile).toBe("env:BACKUP_SIGNING_KEY_FILE");
  expect(config.tiers).toContainEqual(expect.objectContaining({ keyFile: "env:BACKUP_SSH_KEY" }));
});

test("9.C17 its line breaks may be written out, and nothing else is looked up", () => {
  const env = { BACKUP_SSH_KEY: PEM.trimEnd().replaceAll("\n", String.raw`\n`) };
  expect(keyOfEnvironment("env:BACKUP_SSH_KEY", env)).toBe(PEM);
  for (const file of ["/etc/key", "BACKUP_SSH_KEY", "env:NOBODY", "env:a", "./env:BACKUP_SSH_KEY"]) {
    expect(keyOfEnvironment(file, env)).toBeNull();
  }
});
