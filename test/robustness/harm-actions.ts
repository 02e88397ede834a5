import { backupPrefix, codeOf, MANIFEST, splitKey } from "@trivault/core";
import { readInventories } from "@trivault/maintenance";
import { readAll, type StoredObject, type Tier } from "@trivault/storage";
import { oneOf, type Random } from "../support/random.ts";
import type { Action, Context } from "./context.ts";
import { copyName, type CopyRef, goodBackups, type Harm } from "./model.ts";
import { putBytes } from "./objects.ts";
import type { World } from "./world.ts";

const MOST_BYTES = 64 * 1024 * 1024;

/** What a careless hand or a bad disk does to a tier. */
export const HARM_ACTIONS: readonly Action[] = [
  { name: "delete by hand", weight: 3, run: (context) => harm(context, "deleted", removeCopy) },
  { name: "flip a byte", weight: 3, run: (context) => harm(context, "flipped", flipByte) },
];

type Way = (tier: Tier, objects: readonly StoredObject[], random: Random) => Promise<string>;

/** Only where all copies are whole: nothing is to be lost for good. */
async function harm({ world, model, random }: Context, kind: Harm["kind"], way: Way): Promise<string> {
  const candidates = [...goodBackups(model).values()].filter((copies) => copies.length === world.tiers.length);
  const copy = oneOf(random, oneOf(random, candidates) ?? []);
  const tier = world.tiers.find(({ name }) => name === copy?.tier);
  if (copy === undefined || tier === undefined) return "no backup is whole everywhere";
  const name = copyName(copy);
  const known = await isKnown(world, copy);
  const harmed = {
    tier: tier.name,
    database: copy.database,
    backupId: copy.backupId,
    kind,
    known,
    seq: model.readTo.seq,
  };
  model.harmed.set(name, harmed);
  model.good.delete(name);
  try {
    const objects = await Array.fromAsync(tier.store.list(backupPrefix(copy.database, copy.backupId)));
    const text = await way(tier, objects, random);
    model.harms.push(harmed);
    return `${name}: ${text}`;
  } catch (error) {
    if (codeOf(error) === "NOT_FOUND") return `${name}: retention was faster`;
    throw error;
  }
}

/** Whether the site knows that the copy is there, so that it can miss it. */
async function isKnown({ siteConfig }: World, { tier, database, backupId }: CopyRef): Promise<boolean> {
  const inventory = (await readInventories(siteConfig)).find((each) => each.tier === tier);
  return (inventory?.copies ?? []).some(
    (copy) => copy.database === database && copy.backupId === backupId && copy.state === "complete",
  );
}

async function removeCopy(tier: Tier, objects: readonly StoredObject[], random: Random): Promise<string> {
  const ordered = random() < 0.5 ? objects : objects.toReversed();
  for (const { key } of ordered) await tier.store.delete(key);
  return `${objects.length} objects deleted`;
}

async function flipByte(tier: Tier, objects: readonly StoredObject[], random: Random): Promise<string> {
  const object = oneOf(
    random,
    objects.filter(({ key }) => splitKey(key)?.file !== MANIFEST),
  );
  if (object === undefined) return "nothing is there";
  const bytes = Buffer.from(await readAll(tier.store.get(object.key), MOST_BYTES));
  const at = Math.floor(random() * bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await tier.store.delete(object.key);
  await putBytes(tier, object.key, bytes);
  return `byte ${at} of ${object.key}`;
}
