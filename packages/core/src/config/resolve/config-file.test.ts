import { chmod, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { configJsonSchema } from "../file/schema.ts";
import { resolveConfig } from "./resolve.ts";
import { BASE, type ConfigFolder, makeConfigFolder } from "../testing/config-folder.ts";

const ROOT = path.resolve(import.meta.dirname, "../../../../..");
const SHOP = "databases:\n  shop: { url: 'postgresql://ann:hunter2@db/shop' }\n";

let folder: string;
let file: string;
let resolve: ConfigFolder["resolve"];
let problems: ConfigFolder["problems"];
let made: ConfigFolder;
beforeAll(async () => {
  made = await makeConfigFolder();
  ({ folder, file, resolve, problems } = made);
});
afterAll(() => made.remove());

describe("a configuration file", () => {
  test("that is the example in the repository validates, and shows every option of its schema", async () => {
    const example = await readFile(path.join(ROOT, "trivault.config.example.yaml"), "utf8");
    expect(example.split("\n")[0]).toBe("# yaml-language-server: $schema=./trivault.schema.json");
    const env = {
      SHOP_DATABASE_URL: "postgresql://h/shop",
      VAULT_KEY_ID: "id",
      VAULT_SECRET_KEY: "secret",
      MAIL_PASSWORD: "secret",
      SLACK_URL: "https://hooks.slack.com/services/T0/B0/x",
      DISCORD_URL: "https://discord.com/api/webhooks/1/x",
      TEAMS_URL: "https://prod.example.org/workflows/x",
      NTFY_TOKEN: "tk_x",
      TELEGRAM_TOKEN: "123456:ABC-DEF1234",
      PAGER_URL: "https://pager.example.org/x",
      PAGER_SECRET: "0123456789abcdef",
      DEAD_MAN_URL: "https://hc-ping.com/x",
    };
    const config = await resolve(example, env);
    expect(config.databases.length).toBeGreaterThan(1);
    expect(await readFile(path.join(ROOT, "docs/configuration.md"), "utf8")).toContain(example);
    expect(config.servers.length).toBeGreaterThan(0);
    for (const name of optionNames(configJsonSchema())) expect(example).toContain(name);
  });

  test("has the JSON Schema that is published: `npm run --silent backup:config:schema > trivault.schema.json`, then `npm run format`", async () => {
    const published: unknown = JSON.parse(await readFile(path.join(ROOT, "trivault.schema.json"), "utf8"));
    expect(published).toEqual(JSON.parse(JSON.stringify(configJsonSchema())));
  });

  test("describes every option to editors", () => {
    const undescribed: string[] = [];
    eachOption(configJsonSchema(), (name, option) => {
      if (option.description === undefined && option.const === undefined) undescribed.push(name);
    });
    expect(undescribed).toEqual([]);
  });

  test("names databases, servers and any number of tiers", async () => {
    const config = await resolve(
      `
timeZone: Europe/Paris
schedule: "15 * * * *"
objective: 3h
retention: { hourly: 24, daily: 7 }
tiers:
  local: { retention: { last: 3 }, budget: { size: 1GiB, whenFull: stop } }
  disk: { kind: local, directory: second/disk, prices: { STANDARD: 0.01 } }
  paris: { kind: sftp, host: p.example.org, user: tv, keyFile: ~/.ssh/id, directory: /srv/b/, knownHosts: known }
  lyon: { kind: sftp, host: l.example.org, port: 2222, user: tv, keyFile: key, directory: /b, hostKey: "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" }
  vault:
    kind: s3
    bucket: acme-backups
    storageClass: STANDARD_IA
    lifecycle: [{ after: 30d, class: GLACIER_IR }]
    credentials: { accessKeyIdEnv: KEY_ID, secretAccessKeyEnv: KEY }
    retention: off
databases:
  shop: { url: "postgresql://u:p@db/shop_production", retention: { byTier: { vault: { yearly: 7 } } } }
  "Müller & Söhne":
    urlEnv: MUELLER_URL
    schedule: off
    timeZone: UTC
    tiers: [vault]
    retention: { monthly: 2, byTier: { vault: off } }
    include: { schemas: [public, "sales*"] }
    exclude: { tables: ["public.log*"] }
    priority: 1
    objective: 1d 12h
servers:
  main: { url: "postgresql://u@db2", include: ["app_*"], exclude: ["*_test"], tiers: [local, paris] }
workers: { dumpsPerServer: 2, dumpsPerSite: 9, spread: 10m, maintenanceEvery: 30m, retentionGrace: 2d }
`,
      { KEY_ID: "id", KEY: "k", MUELLER_URL: "postgresql://u@h/m" },
    );
    expect(config.configFile).toBe(file);
    expect(config.warnings).toEqual([]);
    expect(config.tiers).toMatchObject([
      { name: "local", kind: "local", directory: "/backups", budget: { bytes: 2 ** 30, whenFull: "stop" } },
      { name: "disk", kind: "local", directory: path.join(folder, "second/disk"), prices: { STANDARD: 0.01 } },
      {
        name: "paris",
        keyFile: "/home/ann/.ssh/id",
        directory: "/srv/b",
        hostKey: { knownHostsFile: path.join(folder, "known") },
      },
      { name: "lyon", port: 2222, hostKey: { fingerprint: "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU" } },
      {
        name: "vault",
        credentials: { accessKeyId: "id", secretAccessKey: "k" },
        storageClass: "STANDARD_IA",
        lifecycle: [{ afterDays: 30, storageClass: "GLACIER_IR" }],
      },
    ]);
    const [shop, mueller] = config.databases;
    expect(shop).toMatchObject({
      name: "shop",
      url: "postgresql://u:p@db/shop_production",
      schedule: { cron: "15 * * * *", timeZone: "Europe/Paris" },
      tiers: ["local", "disk", "paris", "lyon", "vault"],
      objectiveSeconds: 10_800,
      retention: { local: { last: 3, atLeast: 2 }, disk: { hourly: 24, daily: 7 }, vault: { yearly: 7, daily: 0 } },
    });
    expect(mueller).toEqual({
      name: "Müller & Söhne",
      url: "postgresql://u@h/m",
      urlSetting: `MUELLER_URL (databases["Müller & Söhne"].urlEnv in ${file})`,
      schedule: null,
      timeZone: "UTC",
      tiers: ["local", "vault"],
      retention: { local: expect.objectContaining({ monthly: 2, daily: 0 }), vault: null },
      selection: { schemas: ["public", "sales*"], tables: [], excludeSchemas: [], excludeTables: ["public.log*"] },
      priority: 1,
      objectiveSeconds: 129_600,
    });
    expect(config.servers).toMatchObject([
      {
        name: "main",
        url: "postgresql://u@db2/postgres",
        include: ["app_*"],
        exclude: ["*_test"],
        tiers: ["local", "paris"],
      },
    ]);
    expect(config.limits).toEqual({
      dumpsPerServer: 2,
      dumpsPerSite: 9,
      spreadSeconds: 600,
      maintenanceMinutes: 30,
      retentionGraceSeconds: 172_800,
    });
  });

  test("gives way to the environment, and says so", async () => {
    const yaml = `
timeZone: Europe/Paris
retention: { daily: 1 }
databases:
  shop: { url: "postgresql://file/shop", schedule: "1 1 * * *", priority: 2 }
  other: { url: "postgresql://file/other", schedule: "2 2 * * *" }
  third: { url: "postgresql://file/third" }
tiers:
  cloud: { kind: s3, bucket: of-the-file }
`;
    const env = {
      DATABASE_URL: "postgresql://env/shop",
      BACKUP_SCHEDULE: "3 3 * * *",
      BACKUP_RETENTION_CLOUD: "weekly=4",
      BACKUP_S3_BUCKET: "of-the-environment",
      BACKUP_DUMPS_PER_SERVER: "5",
    };
    const config = await resolve(yaml, env);
    const [shop, other, third] = config.databases;
    expect(shop).toMatchObject({
      url: "postgresql://env/shop",
      schedule: { cron: "3 3 * * *", timeZone: "Europe/Paris" },
      priority: 2,
    });
    expect(other).toMatchObject({ url: "postgresql://file/other", schedule: { cron: "2 2 * * *" } });
    expect(third?.schedule?.cron).toBe("3 3 * * *");
    expect(third?.retention).toMatchObject({ local: { daily: 1 }, cloud: { daily: 0, weekly: 4 } });
    expect(config.tiers).toMatchObject([{ name: "local" }, { name: "cloud", bucket: "of-the-environment" }]);
    expect(config.limits.dumpsPerServer).toBe(5);
    expect(config.warnings).toEqual([
      `The environment wins over tiers.cloud of ${file}.`,
      `DATABASE_URL wins over databases.shop of ${file}.`,
    ]);
    const added = await resolve(SHOP, { DATABASE_URL: "postgresql://env/ledger" });
    expect(added.databases.map(({ name }) => name)).toEqual(["ledger", "shop"]);
  });

  test("is found by BACKUP_CONFIG, which must exist; its own default need not", async () => {
    await writeFile(path.join(folder, "other.yaml"), SHOP, { mode: 0o600 });
    const named = await resolve("databases: {}", { BACKUP_CONFIG: "other.yaml" });
    expect(named.configFile).toBe(path.join(folder, "other.yaml"));
    const around = { cwd: "/nowhere", home: "/", memoryDir: null };
    expect(resolveConfig({ ...BASE, DATABASE_URL: "postgresql://h/d" }, "backup", around).configFile).toBeNull();
    expect(() => resolveConfig({ ...BASE, BACKUP_CONFIG: "gone.yaml" }, "read", around)).toThrow(
      /\/nowhere\/gone\.yaml does not exist/,
    );
    expect(() => resolveConfig({ ...BASE, BACKUP_CONFIG: folder }, "read", around)).toThrow(/is not a file/);
  });

  test("that others may read is warned of while it holds a password", async () => {
    await resolve(SHOP);
    await chmod(file, 0o640);
    const around = { cwd: folder, home: "/", memoryDir: null };
    expect(resolveConfig(BASE, "backup", around).warnings).toEqual([expect.stringMatching(/chmod 600/)]);
    await writeFile(file, "databases: { shop: { urlEnv: SHOP } }");
    expect(resolveConfig({ ...BASE, SHOP: "postgresql://h/s" }, "backup", around).warnings).toEqual([]);
    await chmod(file, 0o600);
  });

  test("for reading may lack databases and their URLs", async () => {
    expect((await resolve("timeZone: UTC", {}, "read")).databases).toEqual([]);
    const yaml = "databases: { shop: { urlEnv: SHOP }, other: { url: 'postgresql://h/o' } }";
    const config = await resolve(yaml, {}, "read");
    expect(config.databases.map(({ name }) => name)).toEqual(["other"]);
    expect(config.warnings).toEqual([expect.stringMatching(/^databases\.shop is left out: SHOP is not set/)]);
    expect(await problems(yaml)).toEqual([
      expect.stringMatching(/^databases\.shop\.urlEnv \(line 1\) names SHOP, which is not set/),
    ]);
    expect(await problems("timeZone: UTC")).toEqual([expect.stringMatching(/^DATABASE_URL is not set/)]);
  });

  test("may use anchors", async () => {
    const config = await resolve(`databases:
  a: &a { url: "postgresql://h/a", retention: &r { daily: 3 } }
  b: { url: "postgresql://h/b", retention: *r }
  c: *a
`);
    expect(config.databases.map(({ retention }) => retention["local"]?.daily)).toEqual([3, 3, 3]);
    const many = Array.from({ length: 500 }, (_, index) => `  d${index}: { url: "postgresql://h/d", retention: *r }`);
    const shared = await resolve(`retention: &r { daily: 5 }\ndatabases:\n${many.join("\n")}`);
    expect(shared.databases[499]?.retention["local"]?.daily).toBe(5);
  });
});

interface JsonSchema {
  readonly description?: string;
  readonly const?: string;
  readonly properties?: Record<string, JsonSchema>;
  readonly anyOf?: JsonSchema[];
  readonly oneOf?: JsonSchema[];
  readonly items?: JsonSchema;
  readonly additionalProperties?: JsonSchema | boolean;
}

function optionNames(schema: JsonSchema): Set<string> {
  const names = new Set<string>();
  eachOption(schema, (name) => names.add(name));
  return names;
}

function eachOption(schema: JsonSchema, visit: (name: string, option: JsonSchema) => void): void {
  const { properties = {}, anyOf = [], oneOf = [], items, additionalProperties } = schema;
  for (const [name, option] of Object.entries(properties)) {
    visit(name, option);
    // Storage classes need not all be shown.
    if (name !== "prices") eachOption(option, visit);
  }
  const others = typeof additionalProperties === "object" ? [additionalProperties] : [];
  for (const each of [...anyOf, ...oneOf, ...(items ? [items] : []), ...others]) eachOption(each, visit);
}
