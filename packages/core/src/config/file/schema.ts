import { DAY_SECONDS } from "../../time.ts";
import { z } from "zod";
import { flag, listOf, oneOf, section, text, whole } from "./parts.ts";
import { alerts, mail, reports } from "./monitoring-schema.ts";
import { FORMATS, type Format } from "../text/formats.ts";
import { RESTORE_SERVERS, STORAGE_CLASSES, type StorageClass } from "../model/types.ts";

/** `trivault.config.yaml`. The descriptions are what an editor shows: trivault.schema.json is made of this. */

const count = (of: string) => whole(0, 99_999, `The newest backup of each of so many ${of} that have one.`).optional();
const policy = {
  last: whole(0, 99_999, "The newest so many backups.").optional(),
  hourly: count("hours"),
  daily: count("days"),
  weekly: count("weeks"),
  monthly: count("months"),
  yearly: count("years"),
  within: text(FORMATS.objective, "All backups that are not older than this, such as 30d.").optional(),
  atLeast: whole(
    1,
    99_999,
    "The newest complete copies on a tier that stay whatever the rules or the clock say; 2 by default.",
  ).optional(),
};

const offOr = <T extends z.ZodType>(other: T, what: string, description: string) =>
  z.union([z.literal("off"), other], { error: `expected ${what}, or off` }).describe(description);

const rule = offOr(
  section(policy, "What is kept; all rules add up."),
  "a map of rules, such as { daily: 14, monthly: 12 }",
  "What is kept; `off` keeps everything, for ever.",
);

const retention = offOr(
  section(
    {
      ...policy,
      byTier: z
        .record(z.string(), rule, { error: "expected a map from tier names to rules" })
        .describe("Rules of single tiers, which hold there instead of all others.")
        .optional(),
    },
    "What its backups are kept for, on all tiers or tier by tier.",
  ),
  "a map of rules, such as { daily: 14, monthly: 12 }",
  "What is kept of it; `off` keeps everything, for ever.",
);

const GLACIER = "a restore from GLACIER or DEEP_ARCHIVE would wait for hours, so these are not taken";
const storageClass: Format<StorageClass> = {
  parse: (value) => STORAGE_CLASSES.find((name) => name === value) ?? null,
  right: `one of ${STORAGE_CLASSES.join(", ")} (${GLACIER})`,
};

const days: Format<number> = {
  parse(value) {
    const seconds = FORMATS.objective.parse(value);
    return seconds !== null && seconds % DAY_SECONDS === 0 ? seconds / DAY_SECONDS : null;
  },
  right: "a number of whole days, such as 30d",
};

const PRICE = "expected a price, such as 0.023";
const price = z.number({ error: PRICE }).nonnegative({ error: PRICE }).describe("Per GB and month.").optional();
const prices = Object.fromEntries(STORAGE_CLASSES.map((name) => [name, price])) as Record<StorageClass, typeof price>;

const tierOptions = {
  retention: rule.optional(),
  budget: section(
    {
      size: text(FORMATS.size, "What all backups on it may take, such as 500GiB."),
      whenFull: oneOf(["warn", "stop"], "`stop` refuses further copies; `warn` (default) only reports it.").optional(),
    },
    "A limit of the tier's size.",
  ).optional(),
  prices: section(
    prices,
    "Money per GB (10^9 bytes) and month, by storage class; STANDARD on a tier that knows none.",
  ).optional(),
};

const localTier = section(
  {
    kind: z.literal("local"),
    directory: text(FORMATS.path, "A folder; a relative one counts from this file's folder."),
    ...tierOptions,
  },
  "A folder on this machine, such as a second disk or a mounted share.",
);

const sftpTier = section(
  {
    kind: z.literal("sftp"),
    host: text(FORMATS.host, "The server's name or address."),
    port: whole(1, 65_535, "22 by default.").optional(),
    user: text(FORMATS.sshUser, "The login."),
    keyFile: text(
      FORMATS.path,
      "The private SSH key (0600, without passphrase); env:NAME where the variable NAME holds the key itself.",
    ),
    directory: text(FORMATS.path, "A folder on the server."),
    hostKey: text(FORMATS.fingerprint, "The server's fingerprint; this or knownHosts.").optional(),
    knownHosts: text(FORMATS.path, "A known_hosts file; this or hostKey.").optional(),
    ...tierOptions,
  },
  "A server over SFTP.",
);

const s3Tier = section(
  {
    kind: z.literal("s3"),
    bucket: text(FORMATS.bucket, "The bucket."),
    prefix: text(FORMATS.prefix, "A folder inside the bucket.").optional(),
    region: text(FORMATS.region, "us-east-1 by default.").optional(),
    endpoint: text(FORMATS.endpoint, "The URL of an S3 server that is not AWS.").optional(),
    pathStyle: flag(
      "Bucket in the path instead of the host name; true by default where there is an endpoint.",
    ).optional(),
    verify: oneOf(
      ["server", "readback"],
      "`server` (default): the server checks each PUT's SHA-256; `readback`: every object is read again.",
    ).optional(),
    conditionalPut: flag("Whether the server honours `If-None-Match: *`; true by default.").optional(),
    credentials: section(
      {
        accessKeyIdEnv: text(FORMATS.variable, "The environment variable that holds the access key id."),
        secretAccessKeyEnv: text(FORMATS.variable, "The environment variable that holds the secret access key."),
      },
      "Its own key; without it the AWS SDK's chain is asked (environment, profile, instance role).",
    ).optional(),
    storageClass: text(storageClass, "The class that objects are put with.").optional(),
    lifecycle: listOf(
      section(
        { after: text(days, "The age, in days, such as 30d."), class: text(storageClass, "The class from then on.") },
        "One step.",
      ),
      "steps such as { after: 30d, class: STANDARD_IA }",
      "Later classes by age, ascending.",
    ).optional(),
    ...tierOptions,
  },
  "A bucket on AWS or any S3-compatible storage.",
);

const tiers = z
  .object(
    {
      local: section(tierOptions, "Options of the local tier (BACKUP_DIR), which is always there.").optional(),
    },
    { error: "expected a map from tier names to tiers" },
  )
  .catchall(
    z.discriminatedUnion("kind", [localTier, sftpTier, s3Tier], {
      error: (issue) =>
        issue.code === "invalid_union"
          ? "expected one of local, sftp, s3"
          : "expected a tier, such as { kind: sftp, host: … }",
    }),
  )
  .describe("Where backups are kept, by name, besides the local tier and those of the environment.");

const patterns = listOf(
  z.string({ error: "expected a pattern of names, such as public or audit_*" }).min(1),
  "patterns, such as [public, audit_*]",
  "Patterns as pg_dump takes them: * and ? stand for anything, a dot divides schema and table.",
).optional();
const selection = (description: string) => section({ schemas: patterns, tables: patterns }, description).optional();

const common = {
  schedule: text(FORMATS.schedule, 'A cron line such as "0 * * * *", or off: only on demand.').optional(),
  timeZone: text(
    FORMATS.timeZone,
    "The time zone of the schedule, and of the days and weeks that retention goes by.",
  ).optional(),
  retention: retention.optional(),
  objective: text(
    FORMATS.objective,
    "Recovery point objective: no tier's newest good copy may be older; by default as the schedule implies.",
  ).optional(),
};

const eachDatabase = {
  url: text(FORMATS.postgresUrl, "A PostgreSQL URL with its password; this or urlEnv. Keep the file 0600.").optional(),
  urlEnv: text(FORMATS.variable, "The environment variable that holds the URL; this or url.").optional(),
  ...common,
  tiers: listOf(
    z.string({ error: "expected the name of a tier" }),
    "tier names",
    "The tiers that shall hold its backups; all by default, and local always.",
  ).optional(),
  priority: whole(1, 10, "1 is served first, 10 last; 5 by default.").optional(),
};

const database = section(
  {
    ...eachDatabase,
    include: selection("Only these: either schemas or tables. Large objects are then left out."),
    exclude: selection("All but these."),
  },
  "A database, by the name that its backups get.",
);

const names = (description: string) =>
  listOf(z.string({ error: "expected a pattern of database names" }).min(1), "patterns, such as [app_*]", description);
const server = section(
  {
    ...eachDatabase,
    include: names("Databases to back up, by name; * and ? stand for anything. All by default.").optional(),
    exclude: names("Databases to leave out.").optional(),
  },
  "A server on which databases are found by pattern; each is backed up as <server>.<database>.",
);

export const fileSchema = section(
  {
    ...common,
    tiers: tiers.optional(),
    databases: z
      .record(z.string(), database, { error: "expected a map from names to databases" })
      .describe("The databases to back up, by name.")
      .optional(),
    servers: z
      .record(z.string(), server, { error: "expected a map from names to servers" })
      .describe("Servers on which databases are discovered, by name.")
      .optional(),
    workers: section(
      {
        dumpsPerServer: whole(1, 64, "Dumps at a time of one database server; 1 by default.").optional(),
        dumpsPerSite: whole(1, 256, "Dumps at a time of all workers together; 4 by default.").optional(),
        spread: text(
          FORMATS.duration,
          "Databases whose cron lines meet start spread over this; 5m by default.",
        ).optional(),
        maintenanceEvery: text(FORMATS.maintenance, "How often each tier is looked after; 15m by default.").optional(),
        retentionGrace: text(
          FORMATS.duration,
          "After a change of rules nothing that the rules before keep is deleted for this long, unless somebody orders it; 24h by default.",
        ).optional(),
      },
      "Limits of all workers together.",
    ).optional(),
    restore: section(
      {
        targets: listOf(
          oneOf(RESTORE_SERVERS, "A server."),
          `servers: ${RESTORE_SERVERS.join(", ")}`,
          "Where operators may restore to through the API and the dashboard; [restore-server] by default. Administrators may to any.",
        ).optional(),
      },
      "What restores through the API may do.",
    ).optional(),
    mail: mail.optional(),
    alerts: alerts.optional(),
    reports: reports.optional(),
  },
  "What Trivault backs up, when, and where to.",
);

export type FileContent = z.output<typeof fileSchema>;
export type FileDatabase = NonNullable<FileContent["databases"]>[string];
export type FileServer = NonNullable<FileContent["servers"]>[string];
export type FileRetention = z.output<typeof retention>;
export type FileRule = z.output<typeof rule>;
export type FileTierOptions = NonNullable<NonNullable<FileContent["tiers"]>["local"]>;
export type FileTier = z.output<typeof localTier> | z.output<typeof sftpTier> | z.output<typeof s3Tier>;

/** The JSON Schema that editors check and complete the file with. */
export function configJsonSchema(): Record<string, unknown> {
  const { $schema, ...rest } = z.toJSONSchema(fileSchema, { io: "input" });
  return { $schema, title: "trivault.config.yaml", ...rest };
}
