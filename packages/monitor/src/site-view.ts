import type { AuditLog } from "@trivault/audit";
import { type Config, type DatabaseConfig, type Logger, messageOf } from "@trivault/core";
import {
  createHealthCheck,
  type DatabaseHealth,
  type HealthLook,
  loadMarks,
  type Marks,
  totalOf,
} from "@trivault/maintenance";
import { knownDatabases, watchDatabases } from "@trivault/site";
import type { Tier } from "@trivault/storage";
import { databasePage } from "./database-page.ts";
import { growthOf } from "./growth.ts";
import { createHistory } from "./history.ts";
import { openHistoryFile } from "./history-file.ts";
import { openSamples } from "./samples.ts";
import { costsOf, tierPage } from "./tier-page.ts";
import { type WatchedTier, watchTier } from "./tier-watch.ts";
import type { DatabasePage, Overview, Run, TierPage, TierRow, TierSample } from "./views.ts";

/** What is known of the databases is waited for no longer than this. */
const PATIENCE_MS = 2000;

export interface ObserverDeps {
  readonly config: Config;
  readonly tiers: readonly Tier[];
  readonly audit: Pick<AuditLog, "reader" | "resume" | "follow">;
  readonly now: () => Date;
  readonly log: Logger;
}

/** What the last look found, and pages of it; null before the first one. */
export interface SiteView {
  look(): Promise<Overview>;
  database(name: string): DatabasePage | null;
  tier(name: string): TierPage | null;
  run(backupId: string): Run | null;
}

interface Found {
  readonly overview: Overview;
  readonly look: HealthLook;
  readonly marks: Marks;
  readonly databases: ReadonlyMap<string, DatabaseConfig>;
  readonly seen: ReadonlyMap<string, WatchedTier>;
  readonly samples: ReadonlyMap<string, readonly TierSample[]>;
  readonly now: Date;
}

/** Looks at files and tiers until the signal aborts. One look at a time. */
export function createSiteView({ config, tiers, audit, now, log }: ObserverDeps, signal: AbortSignal): SiteView {
  const history = createHistory(audit, config.tiers[0]?.name ?? "local", openHistoryFile(config));
  const check = createHealthCheck(config);
  const databasesOf = watchDatabases(() => knownDatabases(config), log, PATIENCE_MS);
  const watches = tiers.map((tier) => ({ name: tier.name, watch: watchTier(config, tier, now, signal) }));
  const samples = new Map(config.tiers.map(({ name }) => [name, openSamples(config, name)]));
  let found: Found | null = null;
  let sampleProblem = "";

  const lookAtTiers = async () =>
    new Map(await Promise.all(watches.map(async ({ name, watch }) => [name, await watch.look()] as const)));

  const keepSamples = async (seen: ReadonlyMap<string, WatchedTier>, at: Date) => {
    try {
      for (const [name, tier] of seen) {
        const sample = sampleOf(tier, at);
        if (sample !== null) await samples.get(name)?.keep(sample);
      }
      sampleProblem = "";
    } catch (error) {
      const reason = messageOf(error);
      if (reason !== sampleProblem) log.warn({ reason }, "how the tiers grow could not be noted; again in a moment");
      sampleProblem = reason;
    }
  };

  /** Before a look, so that the first one is not kept waiting. */
  const keepHistory = async () => {
    try {
      await history.keep(now());
    } catch (error) {
      log.warn(
        { reason: messageOf(error) },
        "what was read of the audit log could not be kept; a start reads it again",
      );
    }
  };

  const readSamples = async () => {
    const read = config.tiers.map(async ({ name }) => [name, (await samples.get(name)?.read()) ?? []] as const);
    return new Map(await Promise.all(read));
  };

  return {
    async look() {
      await keepHistory();
      const [known, seen, marks] = await Promise.all([
        databasesOf(),
        lookAtTiers(),
        loadMarks(config),
        history.update(now()),
      ]);
      const { databases } = known;
      const at = now();
      await keepSamples(seen, at);
      const kept = await readSamples();
      const look = check({ databases, news: known, seen, marks, now: at });
      const overview: Overview = {
        at: at.toISOString(),
        health: look.report(history),
        databases: databases.map(({ name, tiers: on }) => history.row(name, on, at)),
        tiers: config.tiers.map(({ name }) => rowOf(config, name, seen.get(name), kept.get(name) ?? [], at)),
      };
      const byName = new Map(databases.map((database) => [database.name, database]));
      found = { overview, look, marks, databases: byName, seen, samples: kept, now: at };
      return overview;
    },
    database(name) {
      if (found === null) return null;
      const { overview, look, marks, databases } = found;
      const health =
        overview.health.databases.find((database) => database.name === name) ??
        look.stranger(name, history) ??
        strangerOf(overview, name);
      if (health === null) return null;
      const on = databases.get(name)?.tiers ?? null;
      return databasePage({
        health,
        orphan: overview.health.orphans.find((orphan) => orphan.name === name) ?? null,
        runs: history.runs(name, on, found.now),
        plan: look.plan(name),
        marks,
        history,
        now: found.now,
      });
    },
    tier(name) {
      const health = found?.overview.health.tiers.find((tier) => tier.name === name);
      const row = found?.overview.tiers.find((tier) => tier.name === name);
      if (found === null || health === undefined || row === undefined) return null;
      const { overview, seen, samples: kept } = found;
      return tierPage({
        at: overview.at,
        health,
        row,
        config,
        holdings: seen.get(name)?.holdings ?? null,
        samples: kept.get(name) ?? [],
        verifications: history.verifications(name),
      });
    },
    run: (backupId) => found && history.run(backupId, (name) => found?.databases.get(name)?.tiers ?? null, found.now),
  };
}

function rowOf(
  config: Config,
  name: string,
  seen: WatchedTier | undefined,
  samples: readonly TierSample[],
  now: Date,
): TierRow {
  const tier = config.tiers.find((candidate) => candidate.name === name);
  const costs = tier && seen?.holdings ? costsOf(tier, seen.holdings) : null;
  return {
    name,
    ...growthOf(samples, tier?.budget?.bytes ?? null, now),
    latencySeconds: seen?.probe.latencySeconds ?? null,
    costPerMonth: costs?.perMonth ?? null,
  };
}

/** Notes nothing about a tier that is not seen. */
function sampleOf({ holdings, unreachable, probe }: WatchedTier, at: Date): TierSample | null {
  if (holdings === null || unreachable !== null) return null;
  const { bytes, states } = totalOf(holdings);
  const capacity = probe.capacity ?? holdings.capacity;
  return {
    at: at.toISOString(),
    bytes,
    copies: Object.values(states).reduce((sum, count) => sum + count, 0),
    free: capacity?.free ?? null,
    total: capacity?.total ?? null,
    latencySeconds: probe.latencySeconds,
  };
}

/** One that is gone and left no backup, or is left out. */
function strangerOf({ health }: Overview, name: string): DatabaseHealth | null {
  if (!health.orphans.some((orphan) => orphan.name === name)) return null;
  return { name, ok: false, objectiveSeconds: null, nextRun: null, lastRun: null, tiers: [], problem: null };
}
