import { forEachConcurrently } from "@trivault/backup";
import {
  type Config,
  type DatabaseConfig,
  hidePasswords,
  LateError,
  messageOf,
  type ServerConfig,
  type TierConfig,
  TrivaultError,
  within,
} from "@trivault/core";
import { describeProtection, openSnapshot, parseDatabaseUrl, requireTools, withClient } from "@trivault/postgres";
import { probeTier } from "@trivault/storage";
import { knownDatabases } from "./discovery.ts";

/** The limit for each connection; a server that answers nothing must not hold up the others. */
const LIMIT_MS = 45_000;
const AT_A_TIME = 8;

export interface ConnectionCheck {
  readonly kind: "database" | "server" | "tier";
  readonly name: string;
  readonly ok: boolean;
  /** What was seen, or what went wrong. */
  readonly detail: string;
  readonly advice: string | null;
}

type Seen = Pick<ConnectionCheck, "ok" | "detail" | "advice">;
const holds = (detail: string): Seen => ({ ok: true, detail, advice: null });

/** Side by side, each within its time; returned in the order of the configuration. */
export async function checkConnections(config: Config, signal: AbortSignal): Promise<ConnectionCheck[]> {
  const servers = knownDatabases(config, { fresh: true });
  const checks: { kind: ConnectionCheck["kind"]; name: string; run: (signal: AbortSignal) => Promise<Seen> }[] = [
    ...config.databases.map(
      (database) => ({ kind: "database", name: database.name, run: () => checkDatabase(config, database) }) as const,
    ),
    ...config.servers.map(
      (server) => ({ kind: "server", name: server.name, run: () => checkServer(server, servers) }) as const,
    ),
    ...config.tiers.map(
      (tier) => ({ kind: "tier", name: tier.name, run: (each: AbortSignal) => checkTier(tier, each) }) as const,
    ),
  ];
  const results = new Map<(typeof checks)[number], Seen>();
  await forEachConcurrently(
    async function* () {
      yield* checks;
    },
    { limit: AT_A_TIME, signal },
    async (check, each) => void results.set(check, await seen(check.run, each)),
  );
  return checks.map((check) => {
    const { ok, detail, advice } = results.get(check) ?? { ok: false, detail: "was not tried", advice: null };
    const hidden = advice === null ? null : hidePasswords(advice);
    return { kind: check.kind, name: check.name, ok, detail: hidePasswords(detail), advice: hidden };
  });
}

async function seen(run: (signal: AbortSignal) => Promise<Seen>, signal: AbortSignal): Promise<Seen> {
  const abort = new AbortController();
  try {
    return await within(LIMIT_MS, run(AbortSignal.any([signal, abort.signal])));
  } catch (error) {
    if (!(error instanceof LateError)) return { ok: false, detail: messageOf(error), advice: null };
    const detail = `No answer within ${LIMIT_MS / 1000} s. Check that it runs and can be reached from here.`;
    abort.abort(new TrivaultError("CANCELLED", detail));
    return { ok: false, detail, advice: null };
  }
}

/** Connected to, looked into, and dumped by a program that there is. */
async function checkDatabase({ pgBinDir }: Config, database: DatabaseConfig): Promise<Seen> {
  const snapshot = await openSnapshot(parseDatabaseUrl(database.url, database.urlSetting));
  try {
    const { version, major } = snapshot.server;
    const tools = await requireTools(major, pgBinDir);
    const { tables } = await snapshot.details({ rowCounts: false, selection: database.selection });
    return holds(
      `PostgreSQL ${version}, pg_dump ${tools.pgDump.version}, tables to back up: ${tables.length}; connection: ${snapshot.protection}`,
    );
  } finally {
    await snapshot.close();
  }
}

async function checkServer(server: ServerConfig, known: ReturnType<typeof knownDatabases>): Promise<Seen> {
  const { databases, problems } = await known;
  const problem = problems.find((each) => each.server === server.name);
  if (problem) return { ok: false, detail: problem.reason, advice: null };
  const names = databases.map(({ name }) => name).filter((name) => name.startsWith(`${server.name}.`));
  if (names.length > 0) {
    const connection = parseDatabaseUrl(server.url, server.urlSetting);
    const protection = await withClient(connection, async (client) => describeProtection(connection, client));
    return holds(`these match (${names.length}): ${names.join(", ")}; connection: ${protection}`);
  }
  const advice = `its patterns are ${server.include.join(" ")}, but not ${server.exclude.join(" ") || "-"}`;
  return { ok: false, detail: "no database matches", advice };
}

async function checkTier(tier: TierConfig, signal: AbortSignal): Promise<Seen> {
  let free = "";
  let steps = 0;
  for await (const step of probeTier(tier, { signal })) {
    if (step.ok === false) return { ok: false, detail: `${step.step}: ${step.detail}`, advice: step.advice };
    if (step.ok && step.step === "free space") free = `, ${step.detail} free`;
    steps++;
  }
  return holds(`all ${steps} steps hold${free}`);
}
