import { openAccess } from "@trivault/access";
import { type AuditEvent, auditFolder, openAuditLog } from "@trivault/audit";
import { type ApiConfig, type Config, type Key, resolveConfig, silentLogger } from "@trivault/core";
import { createProcessMetrics } from "@trivault/metrics";
import { createObserver } from "@trivault/monitor";
import { createReportMaker } from "@trivault/reports";
import { closeQueues, connectRedis, type JobKey, openQueues, siteJobKey } from "@trivault/queue";
import { bytesSource, memoryStore, type Tier } from "@trivault/storage";
import { buildApp } from "../src/app.ts";
import type { ApiDeps, App } from "../src/deps.ts";
import { quietDesk } from "./quiet-desk.ts";

export const TOKEN = "a-token-of-the-tests-0123456789";
export const BEARER = { authorization: `Bearer ${TOKEN}` };
/** The cost of passwords: no test is about how long a guess takes. */
export const CHEAP = { cost: 16, blockSize: 8, parallelization: 1 };
export const JOB_KEY: JobKey = async () => Buffer.alloc(32, "of the tests");
/** Nothing listens on port 1. */
const NO_REDIS = "redis://127.0.0.1:1";

const opened: (() => Promise<void>)[] = [];

/** For the suite: `afterEach(closeApps)`. Here it would be registered once in a process, for the first suite alone. */
export async function closeApps(): Promise<void> {
  for (const close of opened.splice(0)) await close();
}

/** Once the test is over and its app is closed. */
export function afterwards(close: () => Promise<void>): void {
  opened.push(close);
}

export interface AppUnderTest {
  readonly app: App;
  readonly deps: ApiDeps;
  /** What was recorded so far. */
  readonly events: readonly AuditEvent[];
  /** Ends what streams. */
  readonly closing: AbortController;
}

export interface AppOptions {
  readonly redisUrl?: string;
  readonly token?: string | null;
  readonly log?: ApiDeps["log"];
  readonly tiers?: readonly Tier[];
  /** Other settings of the API, such as an access file that is there. */
  readonly api?: Partial<ApiConfig>;
  readonly requestsPerMinute?: number;
  /** A site of real files, into whose record is written as well. */
  readonly config?: Config;
  readonly observer?: ApiDeps["observer"];
  readonly alerts?: ApiDeps["alerts"];
}

/**
 * The real app over stores in memory (`local` and `cloud`) and a Redis that is not there, unless one is given. It ends with
 * the test.
 */
export function appUnderTest(options: AppOptions = {}): AppUnderTest {
  const made = makeApp(options);
  opened.push(made.close);
  return made;
}

/** The same, for whoever closes it by themselves: an app takes a quarter of a second to build, and many tests only ask it. */
export function makeApp(options: AppOptions = {}): AppUnderTest & { readonly close: () => Promise<void> } {
  const redis = connectRedis(options.redisUrl ?? NO_REDIS, "fail-fast");
  const queues = openQueues(redis, options.config ? siteJobKey(options.config.backupDir) : JOB_KEY);
  const base = options.config ?? testConfig(options.token === undefined ? TOKEN : options.token);
  const config = { ...base, api: { ...base.api, ...options.api } };
  const tiers = options.tiers ?? config.tiers.map(({ name, kind }) => ({ name, kind, store: memoryStore(name) }));
  const events: AuditEvent[] = [];
  const log = options.log ?? silentLogger();
  const audit = openAuditLog(auditFolder(config.backupDir), { log });
  const record = async (event: AuditEvent) => {
    events.push(event);
    if (options.config) await audit.record(event);
  };
  const observer = options.observer ?? createObserver({ config, tiers, audit, now: () => new Date(), log });
  const processMetrics = createProcessMetrics("0.0.0");
  const access = openAccess({ file: config.api.accessFile, log, cost: CHEAP });
  const { requestsPerMinute = 1_000_000 } = options;
  const closing = new AbortController();
  const deps = {
    config,
    tiers,
    queues,
    redis,
    log,
    record,
    audit,
    observer,
    alerts: options.alerts ?? quietDesk,
    reports: createReportMaker({ config, observer, now: () => new Date() }),
    closing: closing.signal,
    processMetrics,
    tracing: null,
    access,
    requestsPerMinute,
  };
  const app = buildApp(deps);
  const close = async () => {
    closing.abort();
    await app.close();
    await access.close();
    await observer.close();
    processMetrics.close();
    await closeQueues(queues);
    redis.disconnect();
    await audit.close();
  };
  return { app, deps, events, closing, close };
}

function testConfig(token: string | null): Config {
  const env = {
    DATABASE_URL: "postgresql://user:db-password@127.0.0.1:1/shop",
    BACKUP_ENCRYPTION: "none",
    BACKUP_DIR: "/nowhere", // the stores are in memory, and nothing is kept of them
    BACKUP_S3_BUCKET: "bucket",
    ...(token === null ? { BACKUP_API_OPEN: "true" } : { BACKUP_API_TOKEN: token }),
  };
  return resolveConfig(env, "backup");
}

/** A backup as a listing sees it: a segment, and the manifest where it is complete. */
export async function putBackup(tier: Tier | undefined, id: string, complete: boolean, directory = "shop") {
  const put = (file: string, text: string) =>
    tier?.store.put(`${directory}/${id}/${file}` as Key, bytesSource(Buffer.from(text)));
  await put("data-000001.zst", "segment");
  if (complete) await put("manifest.json", "{}");
}
