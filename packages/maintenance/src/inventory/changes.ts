import { hash } from "node:crypto";
import { access, constants, rm } from "node:fs/promises";
import path from "node:path";
import { AUDIT_OUTCOMES, type AuditEvent } from "@trivault/audit";
import { tierFolder } from "@trivault/backup/look";
import { type Config, type CopyState, ensureFolder, publishJson, readdirOrEmpty, readJson } from "@trivault/core";
import { z } from "zod";
import { nameOf } from "./cache.ts";
import type { Inventory, InventoryCopy } from "./inventory.ts";

type Loss = AuditEvent & { readonly action: "tier.vanished" | "tier.shrunk" };

/**
 * What is missing that was complete when it was known last, and what has lost bytes: nobody of us did it. One event for
 * each database, however many copies, since whoever wipes a tier wipes thousands. What cannot be read now is not lost, nor
 * what is not trusted only because whoever looked knows other keys.
 */
export function lossesSince(before: Inventory | null, now: Inventory): Loss[] {
  const present = new Map(now.copies.map((copy) => [nameOf(copy), copy]));
  const were = before?.copies.filter((copy) => knownState(copy) === "complete") ?? [];
  const stateNow = (copy: InventoryCopy) => {
    const { state, lastState } = present.get(nameOf(copy)) ?? { state: "partial", lastState: null };
    return state === "untrusted" && lastState !== null ? lastState : state;
  };
  return [
    ...eventsOf(
      "tier.vanished",
      now.tier,
      were.filter((copy) => stateNow(copy) === "partial"),
    ),
    ...eventsOf(
      "tier.shrunk",
      now.tier,
      were.filter((copy) => ["damaged", "untrusted"].includes(stateNow(copy))),
    ),
  ];
}

function knownState({ state, lastState }: InventoryCopy): CopyState | null {
  return state === "unknown" || state === "untrusted" ? lastState : state;
}

/**
 * The copy as it was judged now. Where it is not trusted by the keys of whoever looks, though its manifest is the one that was
 * known with other keys, it keeps what it was known as: should it vanish then, that is a loss.
 */
export function withKnownState(
  copy: InventoryCopy,
  before: InventoryCopy | undefined,
  sameKeys: boolean,
): InventoryCopy {
  if (copy.state !== "untrusted" || !before?.manifest || !copy.manifest) return copy;
  const sameManifest =
    before.manifest.size === copy.manifest.size && +before.manifest.modifiedAt === +copy.manifest.modifiedAt;
  if (!sameManifest || (sameKeys && before.state !== "untrusted")) return copy;
  return { ...copy, lastState: knownState(before) };
}

function eventsOf(action: Loss["action"], tier: string, copies: readonly InventoryCopy[]): Loss[] {
  return [...Map.groupBy(copies, ({ database }) => database)].map(([database, lost]) => {
    const ids = lost.map(({ backupId }) => backupId).toSorted();
    const newest = ids.at(-1);
    return {
      action,
      outcome: "failed",
      actor: "maintenance",
      tier,
      database,
      backupId: newest,
      bytes: lost.reduce((sum, { bytes }) => sum + bytes, 0),
      details: { copies: lost.length, oldest: ids[0] ?? null, newest: newest ?? null },
    };
  });
}

const lossSchema = z.object({
  action: z.enum(["tier.vanished", "tier.shrunk"]),
  outcome: z.enum(AUDIT_OUTCOMES),
  actor: z.string(),
  tier: z.string(),
  database: z.string(),
  backupId: z.string().optional(),
  bytes: z.number(),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
});

/**
 * Keeps losses until maintenance has recorded them, in `<tier folder>/losses/`, a file for each that is named by what it
 * holds. Whoever replaces an inventory writes them first: the next one is compared with the new inventory alone.
 */
export async function noteLosses(config: Pick<Config, "backupDir">, losses: readonly Loss[]): Promise<void> {
  for (const loss of losses) {
    const folder = lossFolder(config, loss.tier ?? "");
    await ensureFolder(folder);
    const text = JSON.stringify(loss);
    await publishJson(path.join(folder, `${hash("sha256", text).slice(0, 32)}.json`), loss);
  }
}

/**
 * Records what was lost since this was called last, whoever noticed it. After a crash in between, an event may come twice. Where
 * the disk lets no note be taken away, they wait: each round would record them again.
 */
export async function recordLosses(
  { config, record }: { readonly config: Pick<Config, "backupDir">; readonly record: (loss: Loss) => Promise<void> },
  tier: string,
): Promise<Loss[]> {
  const folder = lossFolder(config, tier);
  const losses: Loss[] = [];
  const writable = await access(folder, constants.W_OK).then(
    () => true,
    () => false,
  );
  if (!writable) return losses;
  for (const name of (await readdirOrEmpty(folder)).filter((each) => each.endsWith(".json")).toSorted()) {
    const file = path.join(folder, name);
    const loss = await readJson(file, lossSchema).catch(() => unreadable(tier, file));
    if (loss !== null) {
      await record(loss);
      losses.push(loss);
    }
    await rm(file, { recursive: true, force: true });
  }
  return losses;
}

/** At least one copy was lost, and a torn file does not say which. */
function unreadable(tier: string, file: string): Loss {
  const details = { copies: 1, problem: `${path.basename(file)}, which said what was lost, could not be read` };
  return { action: "tier.vanished", outcome: "failed", actor: "maintenance", tier, details };
}

function lossFolder(config: Pick<Config, "backupDir">, tier: string): string {
  return path.join(tierFolder(config, tier), "losses");
}
