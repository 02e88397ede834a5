import { setTimeout as sleep } from "node:timers/promises";
import { siteTrust } from "@trivault/backup";
import { background, type Config, messageOf } from "@trivault/core";
import {
  createInventoryReader,
  FRESH_FOR_ROUNDS,
  type Holdings,
  holdingsOf,
  isFresh,
  readOnlyReason,
  readTierState,
  scanTier,
  type SeenTier,
} from "@trivault/maintenance";
import type { Tier } from "@trivault/storage";
import { type ProbeState, startProbe } from "./probe.ts";

/** A tier as it is known this moment. */
export interface WatchedTier extends SeenTier {
  readonly probe: ProbeState;
}

export interface TierWatch {
  look(): Promise<WatchedTier>;
}

/** A first scan is waited for so long; after that its tier is shown without. */
const FIRST_SCAN_MS = 10_000;
/** One that brings what is known up to date. */
const LATER_SCAN_MS = 2000;
const SCAN_AGAIN_MS = 60_000;
/** Enough for a tier that lists very many objects slowly. */
const SCAN_MS = 15 * 60_000;

/**
 * What maintenance found on a tier. Where that is too old, nobody maintains: then the tier is scanned, at the side, and the
 * looks go on with what is known.
 */
export function watchTier(config: Config, tier: Tier, now: () => Date, signal: AbortSignal): TierWatch {
  const reader = createInventoryReader(config, tier.name);
  const probe = startProbe(tier, now, signal);
  /** By our own scans, for a site whose cache cannot be written. */
  let own: Holdings | null = null;
  let failed: { readonly since: Date; readonly at: number; readonly reason: string } | null = null;
  let scanning: Promise<void> | null = null;
  let readOnly: { readonly since: Date; readonly reason: string } | null = null;

  const scan = async () => {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(SCAN_MS)]);
    try {
      const trust = await siteTrust({ config });
      const { inventory } = await scanTier({ config, now }, tier, { signal: limit, trust });
      own = holdingsOf(inventory, own);
      failed = null;
    } catch (error) {
      if (signal.aborted) return;
      const reason = messageOf(limit.aborted ? limit.reason : error);
      failed = { since: failed?.since ?? now(), at: performance.now(), reason };
    } finally {
      scanning = null;
    }
  };

  const readOnlySince = async () => {
    const reason = tier.name === config.tiers[0]?.name ? await readOnlyReason(config) : null;
    readOnly = reason === null ? null : { since: readOnly?.since ?? now(), reason };
    return readOnly;
  };

  return {
    async look() {
      let holdings = newer(await reader.read(), own);
      const { seenAt, unreachableSince, reason } = await readTierState(config, tier.name);
      const fresh = (scannedAt: Date | null) =>
        scannedAt !== null && isFresh({ scannedAt }, { config, now }, FRESH_FOR_ROUNDS);
      const maintained = fresh(seenAt);
      if (maintained && unreachableSince !== null) {
        return { holdings, unreachable: { since: unreachableSince, reason: reason ?? "" }, probe: probe.state() };
      }
      if (!fresh(holdings?.scannedAt ?? null)) {
        if (scanning === null && (failed === null || performance.now() - failed.at >= SCAN_AGAIN_MS)) {
          scanning = background(scan());
          await Promise.race([
            scanning,
            sleep(holdings === null ? FIRST_SCAN_MS : LATER_SCAN_MS, undefined, { ref: false }),
          ]);
          holdings = newer(await reader.read(), own);
        }
      } else failed = null;
      if (holdings !== own) own = null; // the cache has it
      const { silent } = probe.state();
      const problem = failed ?? silent ?? (await readOnlySince());
      const since = unreachableSince ?? problem?.since ?? null;
      return { holdings, unreachable: problem && { since, reason: problem.reason }, probe: probe.state() };
    },
  };
}

function newer(a: Holdings | null, b: Holdings | null): Holdings | null {
  return a === null || (b !== null && b.scannedAt > a.scannedAt) ? b : a;
}
