import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type ConfigFolder, makeConfigFolder } from "../testing/config-folder.ts";

let problems: ConfigFolder["problems"];
let made: ConfigFolder;
beforeAll(async () => {
  made = await makeConfigFolder();
  ({ problems } = made);
});
afterAll(() => made.remove());

describe("what is wrong with a configuration file", () => {
  test("is reported all at once, each with its path, line, and what would be right", async () => {
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
