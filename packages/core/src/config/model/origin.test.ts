import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { awsKeySettings, settingOf } from "./origin.ts";
import { type ConfigFolder, makeConfigFolder } from "../testing/config-folder.ts";

let made: ConfigFolder;
beforeAll(async () => void (made = await makeConfigFolder()));
afterAll(() => made.remove());

const FILE = `
databases:
  shop: { url: 'postgresql://h/shop' }
  blog: { urlEnv: BLOG_URL }
  "my shop": { url: 'postgresql://h/other' }
servers:
  main: { urlEnv: MAIN_URL }
tiers:
  vault: { kind: s3, bucket: acme-vault, credentials: { accessKeyIdEnv: ID, secretAccessKeyEnv: KEY } }
  nas: { kind: sftp, host: h, user: u, keyFile: /k, directory: /d, hostKey: 'SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU' }
`;
const ENV = {
  BLOG_URL: "postgresql://h/blog",
  MAIN_URL: "postgresql://h",
  DATABASE_URL: "postgresql://h/accounts",
  ID: "id",
  KEY: "key",
  BACKUP_S3_BUCKET: "acme-backups",
};

describe("what was configured knows where", () => {
  test("the URL of a database or server", async () => {
    const config = await made.resolve(FILE, ENV);
    expect(Object.fromEntries(config.databases.map(({ name, urlSetting }) => [name, urlSetting]))).toEqual({
      accounts: "DATABASE_URL",
      shop: `databases.shop.url in ${made.file}`,
      blog: `BLOG_URL (databases.blog.urlEnv in ${made.file})`,
      "my shop": `databases["my shop"].url in ${made.file}`,
    });
    expect(config.servers[0]?.urlSetting).toBe(`MAIN_URL (servers.main.urlEnv in ${made.file})`);
  });

  test("a database that the file and the environment name, as the environment's wins", async () => {
    const config = await made.resolve(FILE, { ...ENV, DATABASE_URL: "postgresql://h/shop" });
    expect(config.databases.find(({ name }) => name === "shop")).toMatchObject({ urlSetting: "DATABASE_URL" });
  });

  test("the settings of a tier", async () => {
    const { tiers } = await made.resolve(FILE, ENV);
    const [, cloud, vault, nas] = tiers;
    if (cloud?.kind !== "s3" || vault?.kind !== "s3" || nas?.kind !== "sftp") throw new Error("other tiers");
    expect(settingOf(cloud, "bucket")).toBe("BACKUP_S3_BUCKET");
    expect(settingOf(cloud, "verify", "readback")).toBe("BACKUP_S3_VERIFY=readback");
    expect(settingOf(vault, "bucket")).toBe(`tiers.vault.bucket in ${made.file}`);
    expect(settingOf(vault, "conditionalPut", false)).toBe(`tiers.vault.conditionalPut: false in ${made.file}`);
    expect(settingOf(nas, "host")).toBe(`tiers.nas.host in ${made.file}`);
    expect(awsKeySettings(cloud).id).toMatch(/^AWS_ACCESS_KEY_ID /);
    expect(awsKeySettings(vault)).toEqual({
      id: `the variable that tiers.vault.credentials.accessKeyIdEnv in ${made.file} names`,
      secret: `the variable that tiers.vault.credentials.secretAccessKeyEnv in ${made.file} names`,
    });
  });
});
