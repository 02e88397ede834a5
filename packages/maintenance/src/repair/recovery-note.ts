import { putRecoveryNote, readRecoveryNote, type StageContext } from "@trivault/backup";
import { codeOf, messageOf, RECOVERY_KEY } from "@trivault/core";
import type { Tier } from "@trivault/storage";
import type { Inventory } from "../inventory/inventory.ts";
import type { MaintenanceSite } from "../maintenance-site.ts";
import type { TierState } from "../inventory/tier-state.ts";

/**
 * Sees to it that a tier with backups has our RECOVERY.md: people follow it in an emergency, so a text that somebody else
 * put there is a danger. One that was replaced is recorded; one that the tier does not let us replace, once.
 */
export async function keepRecoveryNote(
  site: MaintenanceSite,
  tier: Tier,
  { copies }: Inventory,
  before: Pick<TierState, "foreignNote">,
  { signal, note }: StageContext,
): Promise<Pick<TierState, "foreignNote">> {
  if (copies.length === 0) return before;
  try {
    const found = await readRecoveryNote(tier, signal);
    if (found.is === "ours") return { foreignNote: null };
    const foreign = found.is === "foreign" ? found.sha256 : null;
    const refusal = await putRecoveryNote(tier, signal).catch((error: unknown) => {
      if (codeOf(error) !== "STORE_REFUSED") throw error;
      return messageOf(error);
    });
    if (refusal !== undefined) note(`${RECOVERY_KEY} on ${tier.name} could not be put right: ${refusal}`);
    if (foreign === null || (refusal !== undefined && before.foreignNote === foreign)) return { foreignNote: foreign };
    await site.record({
      action: "tier.recovery-note",
      outcome: refusal === undefined ? "ok" : "refused",
      actor: "maintenance",
      tier: tier.name,
      ...(refusal === undefined ? {} : { error: { code: "STORE_REFUSED", message: refusal } }),
      details: { found: foreign },
    });
    return { foreignNote: refusal === undefined ? null : foreign };
  } catch (error) {
    signal.throwIfAborted();
    note(`${RECOVERY_KEY} on ${tier.name} could not be compared: ${messageOf(error)}`);
    return before;
  }
}
