import type { Recorder } from "@trivault/audit";
import {
  type BackupRef,
  noteDamage,
  noteDoubt,
  type Progress,
  removeNotes,
  type Trust,
  type Verification,
  verifyCopy,
} from "@trivault/backup";
import { type Config, hidePasswords, messageOf } from "@trivault/core";
import type { Tier } from "@trivault/storage";
import { type History, isDeletedByUs } from "../inventory/deleted-since.ts";

export interface CheckedCopy {
  readonly backupId: string;
  readonly tier: string;
  /**
   * `missing`: no complete copy is there. `deleted`: nor need there be, as this site deleted it, be it since it was listed.
   * `unknown`: something of it could not be read, so nothing is known.
   */
  readonly state: "good" | "damaged" | "missing" | "deleted" | "unknown";
  readonly bytes: number;
  readonly seconds: number;
  readonly problems: readonly { readonly file: string; readonly problem: string }[];
}

export interface VerifySite {
  readonly config: Pick<Config, "backupDir">;
  readonly record: Recorder;
  readonly history: History;
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

/**
 * Reads one copy whole, writes into the audit log what came of it, and notes for maintenance what it has to make anew. Nothing
 * is recorded of one that this site deleted meanwhile: it is neither damaged nor missed.
 */
export async function verifyRecorded(
  site: VerifySite,
  tier: Tier,
  ref: BackupRef,
  options: VerifyOptions,
): Promise<CheckedCopy> {
  const { checked, verdict } = await check(tier, ref, options);
  const isLost = checked.state === "damaged" || checked.state === "missing";
  if (isLost && (await isDeletedByUs(site, tier, ref, options.signal))) {
    return { ...checked, state: "deleted", problems: [] };
  }
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
  if (verdict?.trusted) await noteForMaintenance(site.config, ref, verdict, options.note);
  return checked;
}

/** `verdict`: null where the tier could not be read at all. */
async function check(
  tier: Tier,
  ref: BackupRef,
  options: VerifyOptions,
): Promise<{ readonly checked: CheckedCopy; readonly verdict: Verification | null }> {
  const { trust, signal, allowUnsigned, listed, progress } = options;
  const checked = { backupId: ref.backupId, tier: tier.name };
  const begun = performance.now();
  let verdict: Verification;
  try {
    verdict = await verifyCopy(tier, ref, trust, { signal, allowUnsigned, progress });
  } catch (error) {
    signal.throwIfAborted();
    const seconds = (performance.now() - begun) / 1000;
    const problems = [{ file: "", problem: messageOf(error) }];
    return { checked: { ...checked, state: "unknown", bytes: 0, seconds, problems }, verdict: null };
  }
  const { good, bytes, seconds, damage, unread } = verdict;
  const state = good ? "good" : damage.length === 0 ? "unknown" : listed ? "damaged" : "missing";
  return { checked: { ...checked, state, bytes, seconds, problems: [...damage, ...unread] }, verdict };
}

/**
 * A copy whose bytes differ from a trusted manifest is made good by the next round of maintenance, where another tier has a
 * good one; what could not be read is read again in each. Manifests it reads itself, and with the site's own keys.
 */
async function noteForMaintenance(
  config: Pick<Config, "backupDir">,
  ref: BackupRef,
  { tier, good, damage, unread }: Verification,
  note: (line: string) => void,
): Promise<void> {
  const filesOf = (problems: Verification["damage"]) => problems.map(({ file }) => file);
  try {
    const [first] = unread;
    if (damage.length > 0) await noteDamage(config, tier, ref, filesOf(damage).join(", "));
    else if (first) {
      const problem = `${first.file} ${first.problem}`;
      await noteDoubt(config, tier, ref, { problem, files: filesOf(unread), seen: null });
    }
    if (good) for (const kind of ["damaged", "doubtful"] as const) await removeNotes(config, tier, kind, [ref]);
  } catch (error) {
    note(`Maintenance could not be asked to look at ${ref.backupId} on ${tier}: ${messageOf(error)}`);
  }
}
