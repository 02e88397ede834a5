import { oneOf } from "../support/random.ts";
import type { Action, Context } from "./context.ts";
import { changeContent, readContent } from "./content.ts";
import { goodBackups, keptOn, remember, versionOf } from "./model.ts";
import type { CliEnded } from "./staff.ts";
import { DATABASES } from "./world.ts";

export const BACKUP_ACTIONS: readonly Action[] = [
  { name: "run --wait", weight: 22, run: (context) => makeBackup(context, "--wait") },
  { name: "run --inline", weight: 12, run: (context) => makeBackup(context, "--inline") },
  {
    name: "run",
    weight: 8,
    async run({ world, staff, model, random }) {
      const database = oneOf(random, DATABASES) ?? "alpha";
      remember(model, database, await changeContent(world.postgres, database, random));
      return `${database}: ${how(await staff.cli(["run", "--database", database]))}`;
    },
  },
  { name: "restore", weight: 10, run: restore },
  { name: "verify", weight: 6, run: verify },
];

async function makeBackup(context: Context, mode: "--wait" | "--inline"): Promise<string> {
  const { world, staff, model, random, patienceMs, claims } = context;
  const database = oneOf(random, DATABASES) ?? "alpha";
  if (random() < 0.8) remember(model, database, await changeContent(world.postgres, database, random));
  const version = versionOf(model, database);
  const args = ["run", "--database", database, mode, "--json"];
  const ended = await staff.cli(args, { patienceMs });
  const report = /^\{[\s\S]*\}$/m.exec(ended.stdout)?.[0];
  const backupId = report === undefined ? null : (JSON.parse(report) as { backupId?: string | null }).backupId;
  if (backupId && ended.code === 0) {
    model.madeFrom.set(backupId, version);
    for (const { name: tier } of world.tiers) claims.push({ tier, database, backupId, by: args.join(" ") });
  }
  return `${database} v${version} ${backupId ?? ""}: ${how(ended)}`;
}

async function restore(context: Context): Promise<string> {
  const { world, staff, model, random, calm, problems } = context;
  const [backupId, copies] = oneOf(random, [...goodBackups(model)]) ?? [];
  const database = copies?.[0]?.database;
  if (backupId === undefined || database === undefined) return "nothing to restore";
  const target = `restored_${backupId.replaceAll("-", "_")}`;
  const wanted = random() < 0.3 ? "latest" : backupId;
  try {
    const ended = await staff.cli(["restore", "--database", database, "--backup", wanted, "--json"], {
      env: { BACKUP_RESTORE_TARGET: world.postgres.urlOf(target) },
    });
    if (ended.code === 0) {
      const restored = (JSON.parse(ended.stdout) as { backupId: string }).backupId;
      problems.push(...(await compare(context, { database, backupId: restored, target })));
    } else if (calm && ended.code === 1 && (wanted === "latest" || stillGood(context, backupId)))
      problems.push(`restore of ${database} ${wanted} failed although nothing was down: ${ended.stderr.slice(-800)}`);
    return `${database} ${wanted}: ${how(ended)}`;
  } finally {
    await world.postgres.query(`drop database if exists ${target} with (force)`);
  }
}

/** A backup that the rules may delete may go while it is restored. */
function stillGood({ model }: Context, backupId: string): boolean {
  const copies = goodBackups(model).get(backupId) ?? [];
  const newer = [...goodBackups(model)].filter(
    ([id, [copy]]) => copy?.database === copies[0]?.database && id > backupId,
  );
  return model.held.has(backupId) || newer.length < Math.min(...copies.map(({ tier }) => keptOn(model, tier)));
}

async function compare(
  { world, model }: Context,
  { database, backupId, target }: { database: string; backupId: string; target: string },
): Promise<string[]> {
  const found = await readContent(world.postgres, target);
  const made = model.madeFrom.get(backupId);
  const digest = model.contents.get(database)?.get(found.version);
  if (digest === found.digest && (made === undefined || made === found.version)) return [];
  const expected = made === undefined ? "one of the versions that there were" : `version ${made}`;
  return [
    `${database} ${backupId} restored is not ${expected}: version ${found.version}, ${found.digest} and not ${digest}`,
  ];
}

async function verify(context: Context): Promise<string> {
  const { staff, model, random, claims } = context;
  const database = oneOf(random, DATABASES) ?? "alpha";
  const flipped = [...model.harmed.values()].filter((harm) => harm.kind === "flipped" && harm.database === database);
  const ended = await staff.cli(["verify", "--database", database, "--backup", "all"]);
  // Made anew since, or gone by the rules; else it was overlooked.
  if (ended.code === 0) claims.push(...flipped.map((harm) => ({ ...harm, by: "verify --backup all" })));
  return `${database}: ${how(ended)}`;
}

export function how({ code, cutOff }: CliEnded): string {
  return cutOff ? "cut off" : `exit ${code}`;
}
