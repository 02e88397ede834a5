import { setTimeout as sleep } from "node:timers/promises";
import { backupHealth, knownDatabases } from "@trivault/maintenance";
import type { ObserverDeps } from "./create-observer.ts";
import type { DatabasePage, Overview, Run, TierPage, TierRow } from "./views.ts";

const LOOK_MS = 60_000;

export interface SiteView {
  look(signal: AbortSignal): Promise<Overview>;
  database(name: string): DatabasePage | null;
  tier(name: string): TierPage | null;
  run(backupId: string): Run | null;
  pause(ms: number, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** First version: right in what it tells, and slow. */
export function createSiteView({ config, tiers, audit, now }: ObserverDeps): SiteView {
  let last: Overview | null = null;
  return {
    async look(signal) {
      const { databases } = await knownDatabases(config);
      const limit = AbortSignal.any([signal, AbortSignal.timeout(LOOK_MS)]);
      const health = await backupHealth({ config, tiers, now, databases, audit, signal: limit });
      last = {
        at: now().toISOString(),
        health,
        databases: health.databases.map(({ name }) => ({ name, strip: [], runs: 0, runsOk: 0 })),
        tiers: health.tiers.map(({ name }) => rowOf(name)),
      };
      return last;
    },
    database(name) {
      const health = last?.health.databases.find((database) => database.name === name);
      if (last === null || health === undefined) return null;
      return {
        at: last.at,
        health,
        runs: [],
        missed: [],
        successRate: null,
        recoveryPointSeconds: null,
        recoveryTimeSeconds: null,
        restores: [],
        retention: [],
      };
    },
    tier(name) {
      const health = last?.health.tiers.find((tier) => tier.name === name);
      if (last === null || health === undefined) return null;
      return { at: last.at, health, row: rowOf(name), samples: [], costs: [], databases: [], verifications: [] };
    },
    run: () => null,
    pause: (ms, signal) => sleep(ms, undefined, { signal }).catch(() => undefined),
    close: async () => undefined,
  };
}

function rowOf(name: string): TierRow {
  return { name, bytesPerDay: null, fullAt: null, latencySeconds: null, costPerMonth: null };
}
