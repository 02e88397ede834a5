import {
  type BackupSummary,
  chooseBackup,
  chooseTrusted,
  findTier,
  listBackups,
  loadTrust,
  namePassedOver,
  type PassedOver,
  type Trust,
} from "@trivault/backup";
import { formatBytes } from "@trivault/core";
import { type CheckedCopy, verifyRecorded, type VerifySite } from "@trivault/maintenance";
import type { Tier } from "@trivault/storage";
import { actor } from "../../actor.ts";
import { chooseDatabase } from "../../choose-database.ts";
import { readEnvironment } from "../../environment.ts";
import { EXIT } from "../../exit-codes.ts";
import { formatSeconds, printJson, printText, say, table } from "../../output.ts";
import type { Running } from "../../perform.ts";
import { type ProgressDisplay, showProgress, type Task } from "../../progress.ts";
import { withRecord } from "../../record.ts";
import { copyState } from "./list.ts";
import { withTiers } from "../shared/with-tiers.ts";

export interface VerifyOptions {
  readonly database?: string;
  readonly backup: string;
  readonly tier?: string;
  readonly allowUnsigned?: boolean;
  readonly json?: boolean;
}

export async function verify(options: VerifyOptions, { signal, json }: Running): Promise<number> {
  const { config } = readEnvironment("read");
  const database = chooseDatabase(config, options.database);
  const trust = await loadTrust(config);
  return withTiers(config, async (all) => {
    const tiers = options.tier === undefined ? all : [findTier(all, options.tier)];
    const allowUnsigned = options.allowUnsigned ?? false;
    const { backups, passedOver } = await choose(tiers, database, options.backup, trust, { signal, allowUnsigned });
    const copies = await withRecord(config, (record, history) =>
      verifyAll({ config, record, history }, tiers, backups, trust, { signal, allowUnsigned }),
    );
    const expected = copies.filter(({ state }) => state !== "deleted");
    const good = passedOver.length === 0 && expected.length > 0 && expected.every(({ state }) => state === "good");
    if (json) printJson({ database, good, copies, passedOver });
    else printText(copyTable(copies));
    if (passedOver.length > 0) say(`Newer, and not trusted: ${passedOver.length}. ${namePassedOver(passedOver)}.`);
    for (const line of problemLines(copies)) say(line);
    return good ? EXIT.ok : EXIT.failed;
  });
}

async function choose(
  tiers: readonly Tier[],
  database: string,
  wanted: string,
  trust: Trust,
  { signal, allowUnsigned }: Manner,
): Promise<{ backups: readonly BackupSummary[]; passedOver: readonly PassedOver[] }> {
  const list = await listBackups(tiers, database, signal);
  signal.throwIfAborted();
  const all = (backups: readonly BackupSummary[]) => ({ backups, passedOver: [] });
  if (wanted === "all") {
    chooseBackup(list, database, "latest"); // "all good" must not be said of nothing at all
    return all(list.backups.filter((backup) => backup.copies.some(({ complete }) => complete)));
  }
  if (allowUnsigned) return all([chooseBackup(list, database, wanted)]);
  const { backup, passedOver } = await chooseTrusted(tiers, list, database, wanted, { trust, signal });
  return { backups: [backup], passedOver };
}

interface Manner {
  readonly signal: AbortSignal;
  readonly allowUnsigned: boolean;
}

/** Tiers side by side, the backups of each one after the other. */
async function verifyAll(
  site: VerifySite,
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
        checked.push(await verifyOne(site, tier, backup, trust, manner, report));
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
  site: VerifySite,
  tier: Tier,
  backup: BackupSummary,
  trust: Trust,
  manner: Manner,
  report: Report,
): Promise<CheckedCopy> {
  const ref = { database: backup.database, backupId: backup.id };
  const checked = await verifyRecorded(site, tier, ref, {
    ...manner,
    trust,
    actor: actor(),
    listed: copyState(backup, tier.name) === "yes",
    note: say,
    progress: ({ bytes, totalBytes }) => report({ state: "active", bytes, totalBytes: totalBytes ?? null }),
  });
  report({ state: ["good", "deleted"].includes(checked.state) ? "completed" : "failed" });
  return checked;
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
