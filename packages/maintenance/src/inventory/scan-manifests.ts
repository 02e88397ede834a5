import { forEachConcurrently, readStanding, type Trust } from "@trivault/backup/look";
import { codeOf, messageOf, RECOVERY_KEY } from "@trivault/core";
import type { Tier } from "@trivault/storage";
import { nameOf } from "./cache.ts";
import type { UnreadCopy } from "./listing.ts";
import type { InventoryCopy } from "./inventory.ts";

/** Manifests that are read at a time; larger ones than that are read alone. */
const IN_FLIGHT = 16;
const LARGE = 1024 * 1024;
/** So many failures with no success between them are one trouble of the tier, and the rest are not asked for. */
const MOST_FAILURES = 200;
/** So much of the reason why one cannot be read is kept with it. */
const MOST_WORDS = 300;

type Trusted = Pick<Trust, "trustedKeys">;

/** What can be said without reading a manifest; null where one has to be read. */
export function judgeUnread(copy: UnreadCopy, before: InventoryCopy | undefined): InventoryCopy | null {
  const { manifest } = copy;
  if (manifest === null) return judgedAs(copy, "partial");
  const same = before?.manifest?.size === manifest.size && +before.manifest.modifiedAt === +manifest.modifiedAt;
  if (!same) return null;
  if (before.state === "untrusted") return judgedAs(copy, "untrusted");
  return before.expected === null ? null : compared(copy, before.expected);
}

/**
 * Reads the manifests of copies. One that cannot be read hides none of the others: its copy is unknown, and is tried again
 * with each scan. Throws where the tier does not answer at all.
 */
export async function judgeAll(
  tier: Tier,
  copies: readonly UnreadCopy[],
  {
    known,
    trust,
    signal: scan,
  }: {
    readonly known: ReadonlyMap<string, InventoryCopy>;
    readonly trust: Trusted;
    readonly signal: AbortSignal;
  },
): Promise<InventoryCopy[]> {
  const judged: InventoryCopy[] = [];
  let failures = 0;
  let problem = "";
  const attempt = async (copy: UnreadCopy, signal: AbortSignal): Promise<InventoryCopy | null> => {
    try {
      const found = await judge(tier, copy, trust, signal);
      failures = 0;
      return found;
    } catch (error) {
      signal.throwIfAborted();
      // Is it this one, or the tier? Where that does not answer either, it was not looked at.
      if (codeOf(error) === "STORE_UNREACHABLE") await tier.store.stat(RECOVERY_KEY, { signal });
      failures++;
      problem = messageOf(error).slice(0, MOST_WORDS);
      return null;
    }
  };
  // By the random end of their ids, so that of those that lie close together not all are asked last.
  const order = copies.toSorted((a, b) => (a.backupId.slice(-8) < b.backupId.slice(-8) ? -1 : 1));
  // What they take together is bounded, whatever lies there.
  const bySize = Object.groupBy(order, ({ manifest }) => ((manifest?.size ?? 0) > LARGE ? "large" : "small"));
  for (const [some = [], limit] of [
    [bySize.small, IN_FLIGHT],
    [bySize.large, 1],
  ] as const) {
    await forEachConcurrently(
      async function* each() {
        yield* some;
      },
      { limit, signal: scan },
      async (copy, signal) => {
        const found = failures < MOST_FAILURES ? await attempt(copy, signal) : null;
        judged.push(found ?? unknown(copy, problem, known.get(nameOf(copy))));
      },
    );
  }
  return judged;
}

function unknown(copy: UnreadCopy, problem: string, before: InventoryCopy | undefined): InventoryCopy {
  const lastState = (before?.state === "unknown" ? before.lastState : before?.state) ?? null;
  return { ...judgedAs(copy, "unknown"), problem, lastState };
}

async function judge(tier: Tier, copy: UnreadCopy, trust: Trusted, signal: AbortSignal): Promise<InventoryCopy> {
  const standing = await readStanding(tier, copy, trust.trustedKeys, signal, copy.objects);
  if (standing.is === "absent") return { ...judgedAs(copy, "partial"), manifest: null }; // deleted since
  if (standing.is === "bad") return judgedAs(copy, "untrusted");
  const { segments } = standing.stored.signed.manifest;
  return compared(copy, { objects: segments.length, bytes: segments.reduce((sum, { size }) => sum + size, 0) });
}

function judgedAs(copy: UnreadCopy, state: InventoryCopy["state"]): InventoryCopy {
  return { ...copy, state, expected: null, problem: null, lastState: null };
}

function compared(copy: UnreadCopy, expected: NonNullable<InventoryCopy["expected"]>): InventoryCopy {
  const { objects, bytes, manifest } = copy;
  const whole = objects - 1 === expected.objects && bytes - (manifest?.size ?? 0) === expected.bytes;
  return { ...judgedAs(copy, whole ? "complete" : "damaged"), expected };
}
