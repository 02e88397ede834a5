import {
  type BackupSummary,
  chooseBackup,
  findTier,
  listBackups,
  loadTrust,
  noteDamage,
  removeNotes,
  type Trust,
  verifyCopy,
} from "@trivault/backup";
import { type Config, formatBytes, MANIFEST, messageOf } from "@trivault/core";
import type { Tier } from "@trivault/storage";
import { actor } from "../actor.ts";
import { chooseDatabase } from "../choose-database.ts";
import { readEnvironment } from "../environment.ts";
import { EXIT } from "../exit-codes.ts";
import { formatSeconds, print, printJson, say, table } from "../output.ts";
import type { Running } from "../perform.ts";
import { type ProgressDisplay, showProgress, type Task } from "../progress.ts";
import { withRecord } from "../record.ts";
import { copyState } from "./list.ts";
import { withTiers } from "./tiers.ts";

export interface VerifyOptions {
  readonly database?: string;
  readonly backup: string;
  readonly tier?: string;
  readonly allowUnsigned?: boolean;
  readonly json?: boolean;
}

interface CheckedCopy {
  readonly backupId: string;
  readonly tier: string;
  /** `missing`: no complete copy is there. `unknown`: the tier could not be read, so nothing is known. */
  readonly state: "good" | "damaged" | "missing" | "unknown";
  readonly bytes: number;
  readonly seconds: number;
  readonly problems: readonly { readonly file: string; readonly problem: string }[];
}

export async function verify(options: VerifyOptions, { signal, json }: Running): Promise<number> {
  const { config } = readEnvironment("read");
  const database = chooseDatabase(config, options.database);
  const trust = await loadTrust(config);
  return withTiers(config, async (all) => {
    const tiers = options.tier === undefined ? all : [findTier(all, options.tier)];
    const backups = await choose(tiers, database, options.backup, signal);
    const allowUnsigned = options.allowUnsigned ?? false;
    const copies = await verifyAll(tiers, backups, trust, { signal, allowUnsigned });
    await recordAll(config, database, copies);
    for (const copy of copies) await tellMaintenance(config, database, copy);
    const good = copies.every(({ state }) => state === "good");
    if (json) printJson({ database, good, copies });
    else print(copyTable(copies));
    for (const line of problemLines(copies)) say(line);
    return good ? EXIT.ok : EXIT.failed;
  });
}

/** One event per copy. */
async function recordAll(config: Config, database: string, copies: readonly CheckedCopy[]): Promise<void> {
  await withRecord(config, async (record) => {
    const events = copies.map(({ backupId, tier, state, bytes, seconds, problems }) => {
      const [first] = problems;
      const message = first && `${first.file === "" ? "" : `${first.file} `}${first.problem}`;
      return record({
        action: "backup.verified",
        outcome: state === "good" ? "ok" : "failed",
        actor: actor(),
        database,
        backupId,
        tier,
        bytes,
        seconds,
        error: message === undefined ? undefined : { code: state.toUpperCase(), message },
        details: { state, problems: problems.length },
      });
    });
    await Promise.all(events);
  });
}

/**
 * A copy with rotten bytes is made anew by the next round of maintenance, where another tier has a good one. Manifests it
 * reads itself, and with the site's own keys.
 */
async function tellMaintenance(config: Config, database: string, copy: CheckedCopy): Promise<void> {
  const { backupId, tier, state, problems } = copy;
  const ref = { database, backupId };
  const rotten = problems.map(({ file }) => file).filter((file) => file !== MANIFEST);
  try {
    if (state === "damaged" && rotten.length > 0) await noteDamage(config, tier, ref, rotten.join(", "));
    if (state === "good") await removeNotes(config, tier, "damaged", [ref]);
  } catch (error) {
    say(`Maintenance could not be told about ${backupId} on ${tier}: ${messageOf(error)}`);
  }
}

async function choose(
  tiers: readonly Tier[],
  database: string,
  wanted: string,
  signal: AbortSignal,
): Promise<BackupSummary[]> {
  const list = await listBackups(tiers, database, signal);
  signal.throwIfAborted();
  if (wanted !== "all") return [chooseBackup(list, database, wanted)];
  chooseBackup(list, database, "latest"); // "all good" must not be said of nothing at all
  return list.backups.filter((backup) => backup.copies.some(({ complete }) => complete));
}

interface Manner {
  readonly signal: AbortSignal;
  readonly allowUnsigned: boolean;
}

/** Tiers side by side, the backups of each one after the other. */
async function verifyAll(
  tiers: readonly Tier[],
  backups: readonly BackupSummary[],
  trust: Trust,
  manner: Manner,
): Promise<CheckedCopy[]> {
  const display = showProgress(process.stderr);
  const tasks = new Map<string, Task>();
  try {
    const byTier = tiers.map(async (tier) => {
      const checked: CheckedCopy[] = [];
      for (const backup of backups) {
        const report = reporter(display, tasks, tier.name, backups.length > 1 ? backup.id : null);
        checked.push(await verifyOne(tier, backup, trust, manner, report));
      }
      return checked;
    });
    const checked = (await Promise.all(byTier)).flat();
    return backups.flatMap(({ id }) => checked.filter(({ backupId }) => backupId === id));
  } finally {
    display.stop();
  }
}

type Report = (now: Partial<Task>) => void;

async function verifyOne(
  tier: Tier,
  backup: BackupSummary,
  trust: Trust,
  { signal, allowUnsigned }: Manner,
  report: Report,
): Promise<CheckedCopy> {
  const checked = { backupId: backup.id, tier: tier.name, bytes: 0, seconds: 0, problems: [] };
  const ref = { database: backup.database, backupId: backup.id };
  try {
    const progress = ({ bytes, totalBytes }: { bytes: number; totalBytes?: number }) =>
      report({ state: "active", bytes, totalBytes: totalBytes ?? null });
    const { good, bytes, seconds, damage } = await verifyCopy(tier, ref, trust, { signal, allowUnsigned, progress });
    report({ state: good ? "completed" : "failed" });
    if (good) return { ...checked, state: "good", bytes, seconds };
    const state = copyState(backup, tier.name) === "yes" ? "damaged" : "missing";
    return { ...checked, state, bytes, seconds, problems: damage };
  } catch (error) {
    signal.throwIfAborted();
    report({ state: "failed" });
    return { ...checked, state: "unknown", problems: [{ file: "", problem: messageOf(error) }] };
  }
}

function reporter(display: ProgressDisplay, tasks: Map<string, Task>, tier: string, backupId: string | null): Report {
  const name = backupId === null ? tier : `${tier} ${backupId}`;
  return (now) => {
    tasks.set(name, { state: "active", bytes: 0, totalBytes: null, ...tasks.get(name), ...now, name });
    display.update([...tasks.values()]);
  };
}

function copyTable(copies: readonly CheckedCopy[]): string {
  return table(
    ["BACKUP", "TIER", "RESULT", ">READ", ">TIME"],
    copies.map(({ backupId, tier, state, bytes, seconds }) => [
      backupId,
      tier,
      state,
      formatBytes(bytes),
      formatSeconds(seconds),
    ]),
  );
}

function problemLines(copies: readonly CheckedCopy[]): string[] {
  return copies.flatMap(({ backupId, tier, state, problems }) =>
    problems.map(
      ({ file, problem }) => `${backupId} on ${tier} is ${state}: ${file === "" ? "" : `${file} `}${problem}`,
    ),
  );
}
