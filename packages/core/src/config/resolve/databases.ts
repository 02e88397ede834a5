import { directoryOf } from "../../keys.ts";
import { messageOf } from "../../errors.ts";
import { FIELDS, type Values } from "../environment/fields.ts";
import { urlOfDatabase } from "../model/find-database.ts";
import type { FileContent, FileDatabase, FileServer } from "../file/schema.ts";
import type { Env } from "../file/tiers.ts";
import { shownVariable } from "../text/key-text.ts";
import { nearest, type Problem } from "../model/problems.ts";
import { type ConfigFile, pathText } from "../file/read-file.ts";
import { DEFAULT_RETENTION, NO_RULES, type RetentionRule } from "../text/retention.ts";
import type { DatabaseConfig, RetentionPolicy, Selection, ServerConfig } from "../model/types.ts";

const NOTHING_SELECTED: Selection = { schemas: [], tables: [], excludeSchemas: [], excludeTables: [] };

interface Input {
  readonly env: Env;
  readonly values: Values;
  readonly file: ConfigFile | null;
  /** The names of all tiers in force; `local` first. */
  readonly tierNames: readonly string[];
  /** On a machine that only reads, a database whose URL is not there is left out. */
  readonly mayLackUrls: boolean;
}

interface Result {
  readonly databases: DatabaseConfig[];
  readonly servers: ServerConfig[];
  readonly problems: Problem[];
  readonly warnings: string[];
}

/** All that is to be backed up: what the file names, and the database of DATABASE_URL, which wins over one of its name. */
export function readDatabases(input: Input): Result {
  const { file, values } = input;
  const result: Result = { databases: [], servers: [], problems: [], warnings: [] };
  for (const [name, entry] of Object.entries(file?.content.databases ?? {})) {
    checkName(input, result, "databases", name);
    const read = readEntry(input, result, "databases", name, entry);
    const selection = selectionOf(input, result, name, entry);
    if (read) result.databases.push({ ...read, name, selection });
  }
  for (const [name, entry] of Object.entries(file?.content.servers ?? {})) {
    checkName(input, result, "servers", name);
    const read = readEntry(input, result, "servers", name, entry);
    const { include = ["*"], exclude = [] } = entry;
    if (read) result.servers.push({ ...read, name, selection: NOTHING_SELECTED, include, exclude });
  }
  if (values.DATABASE_URL !== undefined) addDatabaseOfEnvironment(input, result, values.DATABASE_URL);
  return result;
}

function addDatabaseOfEnvironment(input: Input, result: Result, url: string): void {
  const { file } = input;
  const name = databaseNameOf(url);
  if (name === null) {
    const message = `names no database: expected ${FIELDS.DATABASE_URL.right}.`;
    result.problems.push({ variable: "DATABASE_URL", message });
    return;
  }
  const index = result.databases.findIndex((database) => database.name === name);
  const database: DatabaseConfig = {
    ...inForce(input, file?.content.databases?.[name] ?? {}, "environment"),
    name,
    url,
    urlSetting: "DATABASE_URL",
    selection: result.databases[index]?.selection ?? NOTHING_SELECTED,
  };
  if (index === -1) result.databases.unshift(database);
  else {
    result.databases[index] = database;
    result.warnings.push(`DATABASE_URL wins over databases.${name} of ${file?.path}.`);
  }
}

type Entry = FileDatabase | FileServer;
type Section = "databases" | "servers";

/** All that a database and a server have in common. Null where its URL is not there and need not be. */
function readEntry(
  input: Input,
  result: Result,
  section: Section,
  name: string,
  entry: Entry,
): Omit<DatabaseConfig, "name" | "selection"> | null {
  const url = urlOf(input, result, section, name, entry);
  checkTiers(input, result, section, name, entry);
  return url === null ? null : { ...inForce(input, entry, "entry"), ...url };
}

/**
 * The one place that says what wins: what the file says of a database or server by itself, then the environment, then what
 * the file says of all; the environment first for the database that itself names (DATABASE_URL).
 */
function inForce(
  input: Input,
  entry: Entry,
  first: "entry" | "environment",
): Omit<DatabaseConfig, "name" | "url" | "urlSetting" | "selection"> {
  const { values, tierNames } = input;
  const general: FileContent = input.file?.content ?? {};
  const winner = <T>(ofEntry: T | undefined, ofEnvironment: T | undefined) =>
    first === "entry" ? (ofEntry ?? ofEnvironment) : (ofEnvironment ?? ofEntry);
  const timeZone = winner(entry.timeZone, values.BACKUP_TIME_ZONE) ?? general.timeZone ?? "UTC";
  const schedule = winner(entry.schedule, values.BACKUP_SCHEDULE) ?? general.schedule ?? "0 * * * *";
  const tiers = entry.tiers === undefined ? tierNames : tiersOf(entry.tiers);
  const ofAllTiers = first === "environment" ? values.BACKUP_RETENTION : undefined;
  return {
    schedule: schedule === "off" ? null : { cron: schedule, timeZone },
    timeZone,
    tiers,
    retention: perTier(
      tiers,
      (tier) =>
        winner(ruleOfEntry(entry, tier), ruleOfEnvironment(values, tier) ?? ofAllTiers) ?? ruleOfFile(input, tier),
    ),
    priority: entry.priority ?? 5,
    objectiveSeconds: winner(entry.objective, values.BACKUP_OBJECTIVE) ?? general.objective ?? null,
  };
}

/** `local` is always among them, and first. */
function tiersOf(names: readonly string[]): string[] {
  return [...new Set(["local", ...names])];
}

function perTier(
  tiers: readonly string[],
  rule: (tier: string) => RetentionRule,
): Readonly<Record<string, RetentionPolicy | null>> {
  const rules = tiers.map((tier) => [tier, rule(tier)] as const);
  return Object.fromEntries(rules.map(([tier, policy]) => [tier, policy === "off" ? null : policy]));
}

function ruleOfEntry({ retention }: Entry, tier: string): RetentionRule | undefined {
  if (retention === undefined || retention === "off") return retention;
  const { byTier, ...everywhere } = retention;
  const own = byTier?.[tier];
  return own === undefined ? policyOf(everywhere) : policyOf(own);
}

/** The rule of one of the environment's tiers. */
function ruleOfEnvironment(values: Values, tier: string): RetentionRule | undefined {
  if (tier === "local") return values.BACKUP_RETENTION_LOCAL;
  if (tier === "remote") return values.BACKUP_RETENTION_REMOTE;
  return tier === "cloud" ? values.BACKUP_RETENTION_CLOUD : undefined;
}

function ruleOfFile({ values, file }: Input, tier: string): RetentionRule {
  const { tiers, retention } = file?.content ?? {};
  const ofTier = policyOf(tiers?.[tier]?.retention);
  const everywhere = ruleOfEntry({ retention }, tier);
  return ofTier ?? values.BACKUP_RETENTION ?? everywhere ?? DEFAULT_RETENTION;
}

type Rules = Exclude<NonNullable<FileDatabase["retention"]>, "off">;

/** Undefined where no rule is written down. */
function policyOf(rule: Omit<Rules, "byTier"> | "off" | undefined): RetentionRule | undefined {
  if (rule === undefined || rule === "off") return rule;
  const { within, ...counts } = rule;
  const set = Object.entries(counts).filter(([, value]) => value !== undefined);
  if (set.length === 0 && within === undefined) return undefined;
  return { ...NO_RULES, ...Object.fromEntries(set), withinSeconds: within ?? null };
}

function urlOf(
  input: Input,
  result: Result,
  section: Section,
  name: string,
  entry: Entry,
): Pick<DatabaseConfig, "url" | "urlSetting"> | null {
  const report = (key: string, message: string) => {
    const problem = input.file?.problem([section, name, key], message);
    if (problem) result.problems.push(problem);
    return null;
  };
  const setting = (key: string) => `${pathText([section, name, key])} in ${input.file?.path}`;
  if (entry.url !== undefined && entry.urlEnv !== undefined) return report("url", "and urlEnv are both set: keep one.");
  if (entry.urlEnv === undefined) {
    if (entry.url === undefined) {
      // One that is wrong is reported already.
      const given = input.file?.keysOf(section, name).some((key) => key === "url" || key === "urlEnv");
      return given ? null : report("url", `or urlEnv must be set: it takes ${FIELDS.DATABASE_URL.right}.`);
    }
    const url = withDatabase(section, entry.url);
    if (url === null) return report("url", "names no database: add /name after the host.");
    return { url, urlSetting: setting("url") };
  }
  const shown = shownVariable(entry.urlEnv);
  const raw = input.env[entry.urlEnv] ?? "";
  if (raw === "") {
    if (!input.mayLackUrls) return report("urlEnv", `names ${shown}, which is not set in the environment.`);
    result.warnings.push(`${section}.${name} is left out: ${shown} is not set in the environment.`);
    return null;
  }
  const url = FIELDS.DATABASE_URL.schema.safeParse(raw).success ? withDatabase(section, raw) : null;
  if (url !== null) return { url, urlSetting: `${shown} (${setting("urlEnv")})` };
  return report("urlEnv", `names ${shown}, whose value (hidden) is wrong: expected ${FIELDS.DATABASE_URL.right}.`);
}

/** A server is asked in its database `postgres`, unless another one is named. */
function withDatabase(section: Section, url: string): string | null {
  if (databaseNameOf(url) !== null) return url;
  return section === "servers" ? urlOfDatabase(url, "postgres") : null;
}

function checkTiers(input: Input, result: Result, section: Section, name: string, entry: Entry): void {
  const known = new Set([...input.tierNames, ...(input.file?.keysOf("tiers") ?? [])]);
  const check = (tier: string, at: readonly PropertyKey[]) => {
    if (known.has(tier)) return;
    const meant = nearest(tier, [...known]);
    const hint = meant === null ? `there is ${[...known].join(", ")}` : `did you mean ${meant}?`;
    const problem = input.file?.problem(
      [section, name, ...at],
      `names the tier ${JSON.stringify(tier)}, which there is not: ${hint}`,
    );
    if (problem) result.problems.push(problem);
  };
  for (const [index, tier] of (entry.tiers ?? []).entries()) check(tier, ["tiers", index]);
  const { retention } = entry;
  const byTier = retention === undefined || retention === "off" ? {} : (retention.byTier ?? {});
  for (const tier of Object.keys(byTier)) check(tier, ["retention", "byTier", tier]);
}

function selectionOf(input: Input, result: Result, name: string, { include, exclude }: FileDatabase): Selection {
  const selection: Selection = {
    schemas: include?.schemas ?? [],
    tables: include?.tables ?? [],
    excludeSchemas: exclude?.schemas ?? [],
    excludeTables: exclude?.tables ?? [],
  };
  // As pg_dump has it: where tables are named, it looks at no pattern of schemas.
  if (selection.tables.length > 0 && selection.schemas.length + selection.excludeSchemas.length > 0) {
    const message = "names tables, beside which pg_dump ignores schemas: write the schema into the pattern (sales.*).";
    const problem = input.file?.problem(["databases", name, "include", "tables"], message);
    if (problem) result.problems.push(problem);
  }
  return selection;
}

function checkName(input: Input, result: Result, section: Section, name: string): void {
  const report = (message: string) => {
    const problem = input.file?.problem([section, name], message);
    if (problem) result.problems.push(problem);
  };
  if (section === "servers") {
    if (!/^[A-Za-z0-9_][A-Za-z0-9_-]{0,30}$/.test(name)) {
      report("is no name for a server: expected up to 31 letters, digits, _ and -.");
    }
    return;
  }
  try {
    directoryOf(name);
    if (/[\p{Cc}/]/u.test(name)) report("is no name for a database: it may hold no slash and no control character.");
  } catch (error) {
    report(`is no name for a database: ${messageOf(error)}`);
  }
}

/** The database in a PostgreSQL URL, or null. */
export function databaseNameOf(url: string): string | null {
  try {
    const parsed = new URL(url);
    const name = decodeURIComponent(parsed.pathname.replace(/^\//, "")) || parsed.searchParams.get("dbname");
    return name === null || name === "" || /[\0/]/.test(name) ? null : name;
  } catch {
    return null;
  }
}
