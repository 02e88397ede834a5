import type { AuditLog } from "@trivault/audit";
import { type Config, type Logger, messageOf, within } from "@trivault/core";
import { readHeartbeats } from "@trivault/site";
import type { Observer } from "@trivault/monitor";
import { exposition } from "./exposition.ts";
import type { Sample } from "./families.ts";
import { alertSamples, type FiringAlert, heartbeatSamples, type QueueFacts, queueSamples } from "./live-samples.ts";
import { flag, one, overviewSamples } from "./overview-samples.ts";
import { tallySamples } from "./tally-samples.ts";
import { createTally } from "./tally.ts";

/** Each source has so long; Prometheus gives up after 10 s by default. */
const ANSWER_MS = 4000;

export interface SiteMetricsDeps {
  readonly config: Pick<Config, "backupDir" | "tiers">;
  readonly observer: Pick<Observer, "overview">;
  readonly audit: Pick<AuditLog, "query">;
  /** Rejects where Redis does not answer. */
  readonly queues: () => Promise<readonly QueueFacts[]>;
  readonly alerts: () => readonly FiringAlert[];
  readonly now: () => Date;
  readonly log: Logger;
  /** How long each source has to answer. */
  readonly answerMs?: number;
}

/**
 * What `/metrics` of the API shows of the site, in the text format of Prometheus. It always answers: for a source that fails or
 * takes too long the series are absent, and its `_up` is 0. One scrape at a time is worked on; those that come meanwhile get
 * the same answer.
 */
export function createSiteMetrics(deps: SiteMetricsDeps): () => Promise<string> {
  const tally = createTally(deps);
  let running: Promise<string> | null = null;
  return () => (running ??= scrape(deps, tally).finally(() => (running = null)));
}

async function scrape(deps: SiteMetricsDeps, tally: ReturnType<typeof createTally>): Promise<string> {
  const { config, observer, log } = deps;
  const from = <T>(source: string, ask: () => Promise<T>) =>
    within(deps.answerMs ?? ANSWER_MS, Promise.try(ask)).catch((error: unknown) => {
      log.debug({ source, reason: messageOf(error) }, "/metrics goes without");
      return null;
    });
  const [overview, counts, queues, beats] = await Promise.all([
    from("observer", () => observer.overview()),
    from("record", tally),
    from("queue", deps.queues),
    from("heartbeats", () => readHeartbeats(config, deps.now())),
  ]);
  const now = deps.now();
  const databases = new Set(overview?.health.databases.map(({ name }) => name));
  const tiers = new Set(config.tiers.map(({ name }) => name));
  const samples: Sample[] = [
    one("trivault_observer_up", {}, flag(overview !== null)),
    ...(overview ? overviewSamples(overview, now) : []),
    one("trivault_record_up", {}, flag(counts !== null)),
    ...(counts && overview ? tallySamples(counts, { databases, tiers }) : []),
    ...queueSamples(queues),
    ...(beats ? heartbeatSamples(beats, now) : []),
    ...alertSamples(deps.alerts()),
  ];
  return exposition(samples);
}
