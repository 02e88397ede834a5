import { type BackupRef, noteDamage, noteDoubt, readStanding, siteTrust, type StageContext } from "@trivault/backup";
import { backupKey, backupPrefix, codeOf, formatBytes, messageOf, type Segment, splitKey } from "@trivault/core";
import type { Tier } from "@trivault/storage";
import { isGone } from "../inventory/deleted-since.ts";
import { inDoubt, nameOf } from "../inventory/cache.ts";
import { stampOf, stampsIn } from "../inventory/listing.ts";
import type { Inventory, InventoryCopy } from "../inventory/inventory.ts";
import type { MaintenanceSite } from "../maintenance-site.ts";
import type { DoubtfulCopy, Scan } from "../inventory/scan.ts";

/** So much of the segments that were written again is read in one round of a tier; the rest follows in the next rounds. */
const MOST_BYTES = 1024 ** 3;

/**
 * Verifies the segments that were written again since they were verified, the newest backups first. One that has other
 * bytes makes its copy damaged, and it is made good from another tier; one that cannot be read makes it unknown, and is
 * tried again in each round. Returns the inventory with what came of it.
 */
export async function verifyDoubtful(
  site: MaintenanceSite,
  tier: Tier,
  { inventory, doubtful }: Scan,
  context: StageContext,
  mostBytes = MOST_BYTES,
): Promise<Inventory> {
  if (doubtful.length === 0) return inventory;
  const { trustedKeys } = await siteTrust(site);
  const newestFirst = doubtful.toSorted((a, b) => (a.copy.backupId < b.copy.backupId ? 1 : -1));
  const found = new Map<string, InventoryCopy>();
  let left = mostBytes;
  let verified = 0;
  for (const doubt of newestFirst) {
    if (left <= 0) break;
    try {
      const checked = await verifyCopyInDoubt(site, tier, doubt, { trustedKeys, budget: left, context });
      if (checked === null) continue;
      found.set(nameOf(checked.copy), checked.copy);
      left -= checked.bytes;
      verified += checked.segments;
    } catch (error) {
      context.signal.throwIfAborted();
      context.note(`changed segments on ${tier.name} could not be verified: ${messageOf(error)}`);
      break; // The tier does not answer.
    }
  }
  const read = formatBytes(mostBytes - left);
  context.note(`${tier.name}: ${verified} segments that were written again were verified, ${read}`);
  return { ...inventory, copies: inventory.copies.map((copy) => found.get(nameOf(copy)) ?? copy) };
}

interface Options {
  readonly trustedKeys: readonly string[];
  readonly budget: number;
  readonly context: StageContext;
}

interface Checked {
  readonly copy: InventoryCopy;
  readonly bytes: number;
  readonly segments: number;
}

/** Null where its manifest is not to be had: the scan judges that. Throws where the tier is down. */
async function verifyCopyInDoubt(
  site: MaintenanceSite,
  tier: Tier,
  { copy, files }: DoubtfulCopy,
  { trustedKeys, budget, context }: Options,
): Promise<Checked | null> {
  const { signal, note } = context;
  const standing = await readStanding(tier, copy, trustedKeys, signal).catch((error: unknown) => {
    if (signal.aborted || codeOf(error) === "STORE_UNREACHABLE") throw error;
    note(`${copy.backupId} on ${tier.name} has segments that were written again; its manifest: ${messageOf(error)}`);
    return null;
  });
  if (standing?.is !== "trusted") return null;
  const before = stampsIn(copy.stamps);
  const now = await stampsOn(tier, copy, signal);
  const wasSeen = ({ name }: Segment) => before.has(now.get(name) ?? "") && !files.includes(name);
  const toCheck = standing.stored.signed.manifest.segments.filter((segment) => !wasSeen(segment));
  const wrong: string[] = [];
  const unread: { file: string; problem: string }[] = [];
  const seen = new Set(before);
  let bytes = 0;
  let segments = 0;
  for (const segment of toCheck) {
    if (bytes >= budget) break;
    const key = backupKey(copy.database, copy.backupId, segment.name);
    try {
      if (!(await tier.store.holds(key, segment, { signal }))) wrong.push(segment.name);
      else seen.add(now.get(segment.name) ?? "");
    } catch (error) {
      signal.throwIfAborted();
      if (codeOf(error) === "STORE_UNREACHABLE") throw error;
      unread.push({ file: segment.name, problem: messageOf(error) });
    }
    bytes += segment.size;
    segments++;
  }
  // Deleted since it was listed: whether that was one of us, the next scan shows.
  if (wrong.length > 0 && (await isGone(tier, copy, signal))) return null;
  const all = segments === toCheck.length && unread.length === 0;
  const [first] = unread;
  const doubt = {
    problem: first ? `${first.file}: ${first.problem}` : null,
    files: unread.map(({ file }) => file),
    seen: (all ? [...now.values()] : [...seen]).join(""),
  };
  if (wrong.length > 0) await recordDamage(site, tier, copy, wrong, bytes);
  else await noteDoubt(site.config, tier.name, copy, doubt);
  const state = wrong.length > 0 ? "damaged" : "complete";
  return { copy: inDoubt({ ...copy, state }, doubt), bytes, segments };
}

async function stampsOn(tier: Tier, ref: BackupRef, signal: AbortSignal): Promise<Map<string, string>> {
  const stamps = new Map<string, string>();
  for await (const object of tier.store.list(backupPrefix(ref.database, ref.backupId), { signal })) {
    const file = splitKey(object.key)?.file ?? "";
    stamps.set(file, stampOf(file, object));
  }
  return stamps;
}

async function recordDamage(
  site: MaintenanceSite,
  tier: Tier,
  { database, backupId }: BackupRef,
  files: readonly string[],
  bytes: number,
): Promise<void> {
  await noteDamage(site.config, tier.name, { database, backupId }, files.join(", "));
  const message = `${files.join(", ")} was written again, and does not hold the bytes that the manifest lists`;
  await site.record({
    action: "backup.verified",
    outcome: "failed",
    actor: "maintenance",
    tier: tier.name,
    database,
    backupId,
    bytes,
    error: { code: "DAMAGED", message },
    details: { state: "damaged", problems: files.length },
  });
}
