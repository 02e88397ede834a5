import type { Recorder } from "@trivault/audit";
import {
  type BackupRef,
  noteDamage,
  type Progress,
  removeNotes,
  type Trust,
  type Verification,
  verifyCopy,
} from "@trivault/backup";
import { type Config, hidePasswords, MANIFEST, messageOf } from "@trivault/core";
import type { Tier } from "@trivault/storage";

export interface CheckedCopy {
  readonly backupId: string;
  readonly tier: string;
  /** `missing`: no complete copy is there. `unknown`: the tier could not be read, so nothing is known. */
  readonly state: "good" | "damaged" | "missing" | "unknown";
  readonly bytes: number;
  readonly seconds: number;
  readonly problems: readonly { readonly file: string; readonly problem: string }[];
}

export interface VerifySite {
  readonly config: Pick<Config, "backupDir">;
  readonly record: Recorder;
}

export interface VerifyOptions {
  readonly trust: Trust;
  readonly signal: AbortSignal;
  readonly actor: string;
  readonly allowUnsigned: boolean;
  /** Whether the tier's listing shows a complete copy: one that then has none is damaged, and not missing. */
  readonly listed: boolean;
  readonly progress: (progress: Progress) => void;
  readonly note: (line: string) => void;
}

/** Reads one copy whole, writes into the record what came of it, and tells maintenance what it has to make anew. */
export async function verifyRecorded(
  site: VerifySite,
  tier: Tier,
  ref: BackupRef,
  options: VerifyOptions,
): Promise<CheckedCopy> {
  const checked = await check(tier, ref, options);
  const [first] = checked.problems;
  const message = first && hidePasswords(`${first.file === "" ? "" : `${first.file} `}${first.problem}`);
  await site.record({
    action: "backup.verified",
    outcome: checked.state === "good" ? "ok" : "failed",
    actor: options.actor,
    database: ref.database,
    backupId: ref.backupId,
    tier: tier.name,
    bytes: checked.bytes,
    seconds: checked.seconds,
    error: message === undefined ? undefined : { code: checked.state.toUpperCase(), message },
    details: { state: checked.state, problems: checked.problems.length },
  });
  await tellMaintenance(site.config, ref, checked, options.note);
  return checked;
}

async function check(tier: Tier, ref: BackupRef, options: VerifyOptions): Promise<CheckedCopy> {
  const { trust, signal, allowUnsigned, listed, progress } = options;
  const checked = { backupId: ref.backupId, tier: tier.name };
  const begun = performance.now();
  let verdict: Verification;
  try {
    verdict = await verifyCopy(tier, ref, trust, { signal, allowUnsigned, progress });
  } catch (error) {
    signal.throwIfAborted();
    const seconds = (performance.now() - begun) / 1000;
    return { ...checked, state: "unknown", bytes: 0, seconds, problems: [{ file: "", problem: messageOf(error) }] };
  }
  const { good, bytes, seconds, damage } = verdict;
  return { ...checked, state: good ? "good" : listed ? "damaged" : "missing", bytes, seconds, problems: damage };
}

/**
 * A copy with rotten bytes is made anew by the next round of maintenance, where another tier has a good one. Manifests it
 * reads itself, and with the site's own keys.
 */
async function tellMaintenance(
  config: Pick<Config, "backupDir">,
  ref: BackupRef,
  { tier, state, problems }: CheckedCopy,
  note: (line: string) => void,
): Promise<void> {
  const rotten = problems.map(({ file }) => file).filter((file) => file !== MANIFEST);
  try {
    if (state === "damaged" && rotten.length > 0) await noteDamage(config, tier, ref, rotten.join(", "));
    if (state === "good") await removeNotes(config, tier, "damaged", [ref]);
  } catch (error) {
    note(`Maintenance could not be told about ${ref.backupId} on ${tier}: ${messageOf(error)}`);
  }
}
