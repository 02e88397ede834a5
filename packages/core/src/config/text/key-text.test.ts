import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { FIELDS } from "../environment/fields.ts";
import { configJsonSchema } from "../file/schema.ts";
import { keyOfEnvironment } from "./key-text.ts";
import { resolveConfig } from "../resolve/resolve.ts";
import { type ConfigFolder, makeConfigFolder } from "../testing/config-folder.ts";

const BODY = "c2VjcmV0LWtleS1tYXRlcmlhbA";
const PEM = `-----BEGIN OPENSSH PRIVATE KEY-----\n${BODY}\n-----END OPENSSH PRIVATE KEY-----\n`;
const IDENTITY = `# created\nAGE-SECRET-KEY-1${BODY.toUpperCase()}\n`;
const SFTP = {
  BACKUP_REMOTE_SERVER: "h",
  BACKUP_SSH_USER: "u",
  BACKUP_REMOTE_DIR: "/d",
  BACKUP_SSH_HOST_KEY: `SHA256:${"A".repeat(43)}`,
};

/** All that is ever shown of a configuration: itself, or the error. */
function shown(env: Record<string, string>): string {
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

const SECRETS: readonly (readonly [what: string, secret: string])[] = [
  ["a private key", PEM],
  ["a private key on one line", PEM.replaceAll("\n", " ")],
  ["an identity", IDENTITY],
  ["a key in base64", Buffer.from(PEM).toString("base64")],
  ["a key's middle on one line", `  b3BlbnNzaC1rZXktdjE${BODY}`],
  ["a key's middle of RSA", `MIIEpAIBAAKCAQEA${BODY}`],
  ["a token of the API's", `tv_${BODY.padEnd(43, "A")}`],
  ["several lines", `/srv\n${BODY}`],
  ["a URL", `postgresql://u:${BODY}@h/db`],
];

describe.each(PATHS)("9.C17 %s", (variable) => {
  test.each(SECRETS)("never shows %s", (_, secret) => {
    const text = shown({ ...SFTP, BACKUP_SSH_KEY: "k", [variable]: secret });
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
  for (const file of ["/etc/key", "BACKUP_SSH_KEY", "env:a", "./env:BACKUP_SSH_KEY"]) {
    expect(keyOfEnvironment(file, env)).toBeNull();
  }
  expect(() => keyOfEnvironment("env:NO_BODY", env)).toThrow(/NO_BODY, which is not set/);
});

describe("9.C17 in the configuration file", () => {
  let folder: ConfigFolder;
  beforeAll(async () => {
    folder = await makeConfigFolder();
  });
  afterAll(() => folder.remove());
  const database = 'databases: { shop: { url: "postgresql://h/shop" } }\n';
  const tiers = (tier: Readonly<Record<string, unknown>>) => `${database}tiers: { far: ${JSON.stringify(tier)} }`;
  const sftp = {
    kind: "sftp",
    host: "h",
    user: "u",
    directory: "/d",
    keyFile: "/k",
    hostKey: SFTP.BACKUP_SSH_HOST_KEY,
  };
  const withKnownHosts = { ...sftp, hostKey: undefined };

  test("these settings take a path, and no others", () => {
    const names = [...JSON.stringify(configJsonSchema()).matchAll(/"(\w*(?:[Ff]ile|[Dd]ir|[Hh]osts|[Pp]ath)\w*)":\{/g)];
    expect([...new Set(names.map(([, name = ""]) => name))].toSorted()).toEqual([
      "directory",
      "keyFile",
      "knownHosts",
      "pathStyle", // true or false
    ]);
  });

  describe.each<readonly [setting: string, tier: Readonly<Record<string, unknown>>]>([
    ["keyFile", sftp],
    ["knownHosts", withKnownHosts],
    ["directory", sftp],
    ["directory", { kind: "local" }],
  ])("%s", (setting, tier) => {
    test.each(SECRETS)("refuses %s, and does not repeat it", async (_, secret) => {
      const found = (await folder.problems(tiers({ ...tier, [setting]: secret }))).join("\n");
      expect(found).toContain(`tiers.far.${setting} (line 2) is wrong (its value is hidden): expected a path.`);
      expect(found.toLowerCase()).not.toContain(BODY.toLowerCase());
    });
  });

  test("keyFile takes a reference to a variable that holds the key, and nothing else in it", async () => {
    const yaml = tiers({ ...sftp, keyFile: "env:FAR_SSH_KEY" });
    expect((await folder.resolve(yaml, { FAR_SSH_KEY: PEM })).tiers).toContainEqual(
      expect.objectContaining({ name: "far", keyFile: "env:FAR_SSH_KEY" }),
    );
    for (const wrong of [undefined, "", BODY, "/home/me/.ssh/id_ed25519"]) {
      expect(await folder.problems(yaml, { FAR_SSH_KEY: wrong })).toEqual([
        "tiers.far.keyFile (line 2) names FAR_SSH_KEY, which holds no private key (-----BEGIN …) in the environment.",
      ]);
    }
  });

  test("a secret where the name of its variable belongs is not repeated", async () => {
    const secret = BODY.replaceAll("-", "_");
    const s3 = { kind: "s3", bucket: "acme", credentials: { accessKeyIdEnv: "ID_OF_S3", secretAccessKeyEnv: secret } };
    const yaml = `${tiers(s3)}
mail: { host: m, from: a@example.org, user: u, passwordEnv: ${secret} }
alerts: { channels: { bot: { kind: telegram, chatId: 1, botTokenEnv: ${secret} } } }
servers: { main: { urlEnv: ${secret} } }
`;
    const found = await folder.problems(yaml);
    expect(found).toHaveLength(5);
    expect(found.join("\n")).toContain("names ID_OF_S3, which is not set in the environment");
    expect(found.join("\n")).not.toContain(secret);
    const { warnings } = await folder.resolve(yaml.replace("tiers:", "# tiers:"), {}, "read");
    expect(warnings.length).toBeGreaterThan(2);
    expect(warnings.join("\n")).not.toContain(secret);
  });
});

test("9.C17 a password where the path of its file belongs is not repeated", () => {
  const env = { REDIS_URL: "redis://h", REDIS_PASSWORD_FILE: BODY, DATABASE_URL: "postgresql://h/d" };
  expect(() => resolveConfig(env, "backup")).toThrow(/REDIS_PASSWORD_FILE names a file \(its value is hidden/);
  expect(() => resolveConfig(env, "backup")).not.toThrow(BODY);
});
