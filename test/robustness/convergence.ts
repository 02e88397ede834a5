import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { closeQueues, connectRedis, openQueues, type Queues, siteJobKey } from "@trivault/queue";
import { until } from "@trivault/testkit";
import type { Random } from "../support/random.ts";
import { how } from "./backup-actions.ts";
import { unnoticed } from "./check-record.ts";
import { checkTiers } from "./check-tiers.ts";
import { goodBackups, type Model } from "./model.ts";
import type { Staff } from "./staff.ts";
import { DATABASES, type World } from "./world.ts";

/** Nothing takes this long; a slow machine has the time. */
const WITHIN_SECONDS = 300;
/** From a round of maintenance to its event, which comes at once or never. */
const REPORTED_WITHIN_SECONDS = 60;
const ENCRYPTED = "age-encryption.org/v1";

interface Parts {
  readonly world: World;
  readonly staff: Staff;
  readonly model: Model;
  readonly random: Random;
  readonly say: (line: string) => void;
}

/** With all faults over: a new backup of each database is made, all tiers are equal, nothing is left, health is content. */
export async function convergence(parts: Parts): Promise<string[]> {
  const { world, staff, model, random, say } = parts;
  await Promise.all([...staff.workers, staff.api].map((each) => each.ready()));
  const redis = connectRedis(world.redis.url, "fail-fast");
  const queues = openQueues(redis, siteJobKey(world.config.backupDir));
  const problems: string[] = [];
  const stage = async (name: string, look: () => Promise<string | null>, within = WITHIN_SECONDS) => {
    let last: string | null = null;
    const began = performance.now();
    const done = async () => (last = await look()) === null;
    await until(done, { seconds: within }).catch((error: unknown) =>
      problems.push(`${name} did not come to be within ${within} s: ${last ?? String(error)}`),
    );
    say(`   ${name}: ${((performance.now() - began) / 1000).toFixed(1)} s`);
  };
  try {
    await Promise.all(
      DATABASES.map((database) =>
        stage(`a new backup of ${database}`, async () => {
          const ended = await staff.cli(["run", "--database", database, "--wait"]);
          return ended.code === 0 ? null : `${how(ended)}: ${ended.stderr.slice(-500)}`;
        }),
      ),
    );
    await stage("every copy is whole, and each tier has what it shall have", async () => {
      await maintain(queues, world);
      problems.push(...(await checkTiers(world, model, { random })));
      return lacking(world, model);
    });
    await stage(
      "what was deleted by hand is in the audit log",
      async () => (await unnoticed(world, model))[0] ?? null,
      REPORTED_WITHIN_SECONDS,
    );
    await stage("health ends with 0", async () => {
      const ended = await staff.cli(["health", "--fresh"]);
      return ended.code === 0 ? null : `${ended.stdout.slice(-1500)}${ended.stderr.slice(-500)}`;
    });
    await stage("no run is left over, and no plaintext", () => leftOver(world, queues));
    problems.push(
      ...(await checkTiers(world, model, { random, readAll: true })),
      ...(await plaintext(world.backupDir)),
    );
    const audit = await staff.cli(["audit", "verify"]);
    if (audit.code !== 0) problems.push(`audit verify ends with ${audit.code}: ${audit.stdout}`);
    problems.push(...staff.problems());
    return problems;
  } finally {
    await closeQueues(queues);
    redis.disconnect();
  }
}

async function maintain(queues: Queues, { tiers }: World): Promise<void> {
  for (const { name } of tiers) await queues.maintenance.add("maintenance", { tier: name });
}

/** What is damaged still, or held or among the newest and not on every tier. */
function lacking({ tiers }: World, model: Model): string | null {
  for (const database of DATABASES) {
    const backups = [...goodBackups(model)].filter(([, copies]) => copies[0]?.database === database);
    for (const [index, [backupId, copies]] of backups.toReversed().entries()) {
      const wanted = index < model.last || model.held.has(backupId);
      if (wanted && copies.length < tiers.length)
        return `${database} ${backupId} is only on ${copies.map(({ tier }) => tier).join(", ")}`;
    }
  }
  return null;
}

async function leftOver({ spoolDir, backupDir }: World, queues: Queues): Promise<string | null> {
  const spool = (await readdir(spoolDir, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const runs = await readdir(path.join(backupDir, ".trivault/runs")).catch(() => []);
  const left = [...spool.map((entry) => path.join(entry.parentPath, entry.name)), ...runs.map((name) => `run ${name}`)];
  if (left.length === 0) return null;
  await queues.maintenance.add("maintenance", { tier: "local" });
  return left.slice(0, 5).join(", ");
}

/** Every segment on the local tier must begin as age files do. */
async function plaintext(backupDir: string): Promise<string[]> {
  const entries = await readdir(backupDir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  const own = files.filter((file) => !file.startsWith(path.join(backupDir, ".trivault")));
  const bad: string[] = [];
  for (const file of own) {
    if (path.basename(file) === "manifest.json" || path.basename(file) === "RECOVERY.md") continue;
    const head = (await readFile(file)).subarray(0, ENCRYPTED.length).toString("latin1");
    if (head !== ENCRYPTED) bad.push(`${file} is not encrypted, or not ours`);
  }
  return bad;
}
