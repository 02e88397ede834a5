import { oneOf } from "../support/random.ts";
import { how } from "./backup-actions.ts";
import type { Action, Context } from "./context.ts";
import { goodBackups, orderedByHand } from "./model.ts";

const RULES = [2, 3, 4, 6] as const;

/** What changes, or shows, which backups stay. */
export const RULE_ACTIONS: readonly Action[] = [
  {
    name: "retention rule",
    weight: 3,
    async run({ world, model, random }) {
      model.last = oneOf(random, RULES) ?? 4;
      await world.keepLast(model.last);
      return `the newest ${model.last}`;
    },
  },
  { name: "keep add", weight: 3, run: hold },
  { name: "keep remove", weight: 2, run: release },
  { name: "rotate --dry-run", weight: 3, run: (context) => cleanUp(context, "local", "rotate", "--dry-run") },
  { name: "rotate --yes", weight: 2, run: (context) => cleanUp(context, "local", "rotate", "--yes") },
  {
    name: "sync cleanup --dry-run",
    weight: 2,
    run: (context) => cleanUp(context, "remote", "sync", "cleanup", "--dry-run"),
  },
  { name: "cloud cleanup --yes", weight: 2, run: (context) => cleanUp(context, "cloud", "cloud", "cleanup", "--yes") },
  { name: "sync sync --dry-run", weight: 2, run: (context) => sync(context, ["sync", "sync", "--dry-run"]) },
  { name: "sync sync --wait", weight: 2, run: (context) => sync(context, ["sync", "sync", "--wait"]) },
  { name: "cloud sync --inline", weight: 2, run: (context) => sync(context, ["cloud", "sync", "--inline"]) },
];

async function hold({ staff, model, random }: Context): Promise<string> {
  const [backupId, [copy] = []] = oneOf(random, [...goodBackups(model)]) ?? [];
  if (backupId === undefined || copy === undefined) return "nothing to hold";
  const ended = await staff.cli(["keep", "add", backupId, "--database", copy.database, "--reason", "the driver"]);
  if (ended.code === 0) model.held.add(backupId);
  return `${backupId}: ${how(ended)}`;
}

async function release({ staff, model, random }: Context): Promise<string> {
  const backupId = oneOf(random, [...model.held]);
  if (backupId === undefined) return "nothing is held";
  const database = goodBackups(model).get(backupId)?.[0]?.database;
  model.held.delete(backupId);
  if (database === undefined) return `${backupId} is nowhere`;
  return `${backupId}: ${how(await staff.cli(["keep", "remove", backupId, "--database", database]))}`;
}

/** Ordered by hand, the rule that is in force may delete; a dry run changes nothing. */
async function cleanUp({ staff, model }: Context, tier: string, ...args: readonly string[]): Promise<string> {
  if (args.includes("--yes")) orderedByHand(model, tier);
  return how(await staff.cli(args));
}

async function sync({ staff, patienceMs }: Context, args: readonly string[]): Promise<string> {
  return how(await staff.cli(args, { patienceMs }));
}
