import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { configJsonSchema } from "./file-schema.ts";
import type { Env } from "./file-tiers.ts";
import { ConfigError } from "./problems.ts";
import { type Purpose, resolveConfig } from "./resolve.ts";
import type { Config } from "./types.ts";

const ROOT = path.resolve(import.meta.dirname, "../../../..");
const RECIPIENT = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
const BASE: Env = { BACKUP_ENCRYPTION_RECIPIENTS: RECIPIENT, BACKUP_DIR: "/backups" };
const SHOP = "databases:\n  shop: { url: 'postgresql://ann:hunter2@db/shop' }\n";

let folder: string;
let file: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "tv-config-"));
  file = path.join(folder, "trivault.config.yaml");
});
afterAll(() => rm(folder, { recursive: true }));

async function resolve(yaml: string, env: Env = {}, purpose: Purpose = "backup"): Promise<Config> {
  await writeFile(file, yaml, { mode: 0o600 });
  const around = { cwd: folder, home: "/home/ann", memoryDir: "/dev/shm" };
  return resolveConfig({ ...BASE, ...env }, purpose, around);
}

/** As `databases.shop.url (line 2) is missing: …`. */
async function problems(yaml: string, env: Env = {}, purpose: Purpose = "backup"): Promise<string[]> {
  try {
    await resolve(yaml, env, purpose);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    expect(error.message).not.toContain("hunter2");
    expect(error.message).toContain(file);
    return error.problems.map(({ variable, message }) => `${variable} ${message}`);
  }
  return [];
}

describe("a configuration file", () => {
  test("that is the example in the repository validates, and shows every option of its schema", async () => {
    const example = await readFile(path.join(ROOT, "trivault.config.example.yaml"), "utf8");
    expect(example.split("\n")[0]).toBe("# yaml-language-server: $schema=./trivault.schema.json");
    const env = { SHOP_DATABASE_URL: "postgresql://h/shop", VAULT_KEY_ID: "id", VAULT_SECRET_KEY: "secret" };
    const config = await resolve(example, env);
    expect(config.databases.length).toBeGreaterThan(1);
    expect(await readFile(path.join(ROOT, "docs/configuration.md"), "utf8")).toContain(example);
    expect(config.servers.length).toBeGreaterThan(0);
    for (const name of optionNames(configJsonSchema())) expect(example).toContain(name);
  });

  test("has the JSON Schema that is published: `npm run --silent backup:config:schema > trivault.schema.json`", async () => {
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
workers: { dumpsPerServer: 2, dumpsPerSite: 9, spread: 10m, maintenanceEvery: 30m }
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
    expect(config.limits).toEqual({ dumpsPerServer: 2, dumpsPerSite: 9, spreadSeconds: 600, maintenanceMinutes: 30 });
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
  });
});

describe("what is wrong with a configuration file", () => {
  test("is told all at once, each with its path, line, and what would be right", async () => {
    const found = await problems(`timezone: UTC
schedule: "0 0 31 2 *"
tiers:
  local: { kind: local }
  Cloud: { kind: s3, bucket: acme }
  vault: { kind: s4 }
  ice: { kind: s3, bucket: Acme_, storageClass: GLACIER, prices: { GLACIER: 1 } }
  steps: { kind: s3, bucket: acme2, lifecycle: [{ after: 60d, class: GLACIER_IR }, { after: 30d, class: STANDARD_IA }] }
  paris: { kind: sftp, user: tv, keyFile: k, directory: /b }
  lyon: { kind: sftp, host: h, user: tv, keyFile: k, directory: /b }
databases:
  shop:
    url: "mysql://u:hunter2@h/shop"
    urlEnv: "postgresql://u:hunter2@h/shop"
    shedule: "0 * * * *"
    retention: { dayly: 3, daily: -1, atLeast: 0 }
    tiers: [local, vualt]
    include: { schemas: public }
  "a b":
    tiers: [vualt]
    retention: { byTier: { clod: { daily: 1 } } }
  string: "postgresql://u:hunter2@h/s"
  nothing:
workers: { dumpsPerServer: 1.5, spread: soon }
`);
    expect(found.toSorted()).toEqual(
      [
        'databases["a b"].retention.byTier.clod (line 21) names the tier "clod", which there is not: did you mean Cloud?',
        'databases["a b"].tiers[0] (line 20) names the tier "vualt", which there is not: did you mean vault?',
        'databases["a b"].url (line 19) or urlEnv must be set: it takes a PostgreSQL URL, such as postgresql://user:password@host:5432/shop.',
        "databases.nothing (line 23) is empty: expected a map of url, urlEnv, schedule, timeZone, retention, objective, tiers, priority, include, exclude.",
        'databases.shop.include.schemas (line 18) is "public": expected a list of patterns, such as [public, audit_*].',
        "databases.shop.retention.atLeast (line 16) is 0: expected a whole number from 1 to 99999.",
        "databases.shop.retention.daily (line 16) is -1: expected a whole number from 0 to 99999.",
        "databases.shop.retention.dayly (line 16) is not known here: did you mean daily?",
        "databases.shop.shedule (line 15) is not known here: did you mean schedule?",
        'databases.shop.tiers[1] (line 17) names the tier "vualt", which there is not: did you mean vault?',
        "databases.shop.url (line 13) is wrong (its value is hidden): expected a PostgreSQL URL, such as postgresql://user:password@host:5432/shop.",
        "databases.shop.urlEnv (line 14) is wrong (its value is hidden): expected the name of an environment variable that holds it, such as SHOP_DATABASE_URL.",
        "databases.string (line 22) is wrong (its value is hidden): expected a map of url, urlEnv, schedule, timeZone, retention, objective, tiers, priority, include, exclude.",
        'schedule (line 2) is "0 0 31 2 *": expected a cron line, such as "0 * * * *" (hourly), or off.',
        "tiers.Cloud (line 5) is no name for a tier: expected up to 31 of a-z, 0-9 and -, a letter first.",
        'tiers.ice.bucket (line 7) is "Acme_": expected a bucket name, such as acme-backups.',
        "tiers.ice.prices.GLACIER (line 7) is not known here: there is STANDARD, STANDARD_IA, ONEZONE_IA, INTELLIGENT_TIERING, GLACIER_IR, REDUCED_REDUNDANCY",
        'tiers.ice.storageClass (line 7) is "GLACIER": expected one of STANDARD, STANDARD_IA, ONEZONE_IA, INTELLIGENT_TIERING, GLACIER_IR, REDUCED_REDUNDANCY (a restore from GLACIER or DEEP_ARCHIVE would wait for hours, so these are not taken).',
        "tiers.local.kind (line 4) is not known here: there is retention, budget, prices",
        "tiers.lyon.hostKey (line 10) or knownHosts must be set: without it any server could pose as yours.",
        "tiers.paris.host (line 9) is missing: expected a host name or address, such as backup.example.org.",
        "tiers.steps.lifecycle (line 8) must ascend: each step is for a later age than the one before it.",
        'tiers.vault.kind (line 6) is "s4": expected one of local, sftp, s3.',
        "timezone (line 1) is not known here: did you mean timeZone?",
        "workers.dumpsPerServer (line 24) is 1.5: expected a whole number from 1 to 64.",
        'workers.spread (line 24) is "soon": expected a duration, such as 90m, 12h or 30d.',
      ].toSorted(),
    );
  });

  test.each([
    [
      "a duplicate key",
      "databases: {}\ntimeZone: UTC\ntimeZone: UTC\n",
      /:3 is not good YAML: Map keys must be unique\.$/,
    ],
    ["a tab", "databases:\n\tshop: 1\n", /:2 is not good YAML: Tabs are not allowed/],
    ["two documents", "timeZone: UTC\n---\ntimeZone: UTC\n", /is not good YAML: Source contains multiple documents/],
    ["an open quote", 'timeZone: "UTC\n', /is not good YAML: Missing closing "quote/],
    ["a password in a broken line", "databases: shop: postgresql://u:hunter2@h/d", /:1 is not good YAML/],
    ["an unknown alias", "timeZone: *hunter2", /is not good YAML: Unresolved alias/],
    ["a tag", "timeZone: !!js/function 'x'", /:1 is not good YAML: Unresolved tag/],
    ["an alias bomb", bomb(), /is not good YAML: Excessive alias count/],
    ["a list", "- a\n", /is a list: expected a map of schedule/],
    ["a prototype", "databases:\n  __proto__: { url: 'postgresql://h/d' }\n", /:2 __proto__ cannot be a name/],
    ["a merge key", "databases: { a: { url: 'postgresql://h/d', <<: {} } }", /"<<"\] \(line 1\) is not known here/],
    ["a section that is empty", "databases:\n", /^databases \(line 1\) is empty: expected a map/],
    ["more than 1 MiB", `# ${"x".repeat(1024 * 1024)}`, /is larger than 1 MiB/],
    ["a variable to be filled in", "databases: { a: { url: '${SHOP}' } }", /a\.url .*is wrong.*hidden/],
    ["a URL of no database", "databases: { a: { url: 'postgresql://h' } }", /a\.url .*names no database/],
    ["a name with a slash", "databases: { a/b: { url: 'postgresql://h/d' } }", /\["a\/b"\] .*no slash/],
    ["a name too long", `databases: { ${"ü".repeat(90)}: { url: 'postgresql://h/d' } }`, /too long/],
    ["a server with a dot", "servers: { a.b: { url: 'postgresql://h/d' } }", /is no name for a server/],
    ["both URLs", "databases: { a: { url: 'postgresql://h/d', urlEnv: A } }", /a\.url .*both set/],
    [
      "a variable of a wrong URL",
      "databases: { a: { urlEnv: WRONG } }",
      /a\.urlEnv .*names WRONG, whose value \(hidden\) is wrong/,
    ],
    [
      "a key that is not set",
      "tiers: { v: { kind: s3, bucket: abc, credentials: { accessKeyIdEnv: A, secretAccessKeyEnv: WRONG } } }",
      /v\.credentials\.accessKeyIdEnv .*names A, which is not set/,
    ],
    [
      "half a key",
      "tiers: { v: { kind: s3, bucket: abc, credentials: { accessKeyIdEnv: WRONG } } }",
      /credentials\.secretAccessKeyEnv .*is missing/,
    ],
    [
      "steps of hours",
      "tiers: { v: { kind: s3, bucket: abc, lifecycle: [{ after: 36h, class: STANDARD }] } }",
      /lifecycle\[0\]\.after .*whole days/,
    ],
    [
      "one place for two tiers",
      "tiers: { v: { kind: local, directory: /backups } }",
      /^tiers\.v \(line 1\) is the same place as the tier local/,
    ],
    [
      "schemas beside tables",
      "databases: { a: { url: 'postgresql://h/d', include: { tables: [x] }, exclude: { schemas: [y] } } }",
      /include\.tables .*ignores schemas/,
    ],
  ])("%s", async (_, yaml, message) => {
    const env = { DATABASE_URL: "postgresql://h/d", WRONG: "mysql://u:hunter2@h/d" };
    expect(await problems(yaml, env)).toEqual([expect.stringMatching(message)]);
  });

  test("a deep nest is refused, and not read to its end", async () => {
    const found = await problems("[".repeat(20_000), { DATABASE_URL: "postgresql://h/d" });
    expect(found.length).toBeLessThanOrEqual(50);
    expect(found[0]).toMatch(/is not good YAML/);
  });
});

function bomb(): string {
  const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"];
  for (let i = 1; i < 9; i++)
    lines.push(
      `a${i}: &a${i} [${Array(10)
        .fill(`*a${i - 1}`)
        .join(", ")}]`,
    );
  return lines.join("\n");
}

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
