import { existsSync } from "node:fs";
import path from "node:path";
import { auditFolder, openAuditLog } from "@trivault/audit";
import { formatBytes, hidePasswords, messageOf, TrivaultError } from "@trivault/core";
import { backupHealth, type DatabaseHealth, describeHealth, type HealthReport } from "@trivault/maintenance/look";
import { type KnownDatabases, knownDatabases } from "@trivault/site/discovery";
import { readEnvironment } from "../../environment.ts";
import { EXIT } from "../../exit-codes.ts";
import { formatAge, formatSeconds, formatTime, print, printJson, printText, say, table } from "../../output.ts";
import type { Running } from "../../perform.ts";
import { withTiers } from "../shared/with-tiers.ts";

export interface HealthOptions {
  readonly database?: string;
  readonly fresh?: boolean;
  readonly nagios?: boolean;
  readonly json?: boolean;
}

/** https://nagios-plugins.org/doc/guidelines.html */
const NAGIOS = { ok: 0, critical: 2, unknown: 3 } as const;

export async function health(options: HealthOptions, running: Running): Promise<number> {
  if (options.nagios) return nagios(options, running);
  const report = await ask(options, running);
  if (running.json) printJson(report);
  else {
    print(`${describeHealth(report)}.`);
    printText(["", ...tables(report)].join("\n"));
  }
  return report.ok ? EXIT.ok : EXIT.failed;
}

/** One line whatever happens: a check that could not be made is UNKNOWN, which somebody looks at. */
async function nagios(options: HealthOptions, running: Running): Promise<number> {
  try {
    const report = await ask(options, running);
    print(`TRIVAULT ${report.ok ? "OK" : "CRITICAL"} - ${oneLine(describeHealth(report))}`);
    return report.ok ? NAGIOS.ok : NAGIOS.critical;
  } catch (error) {
    print(`TRIVAULT UNKNOWN - ${oneLine(messageOf(error))}`);
    return NAGIOS.unknown;
  }
}

async function ask({ database, fresh = false }: HealthOptions, { signal }: Running): Promise<HealthReport> {
  const { config, log } = readEnvironment("read");
  // Looked at first: what servers said is kept there.
  if (!existsSync(path.join(config.backupDir, ".trivault"))) {
    say(`BACKUP_DIR ${config.backupDir} holds no site: nothing was begun there yet, or its disk is not mounted.`);
  }
  const known = await knownDatabases(config);
  if (database !== undefined) expectKnown(known, database);
  for (const { server, reason } of known.problems)
    say(`The server ${server} could not be asked for databases: ${reason}`);
  const audit = openAuditLog(auditFolder(config.backupDir), { log });
  try {
    return await withTiers(config, (tiers) =>
      backupHealth({
        config,
        tiers,
        now: () => new Date(),
        databases: known.databases,
        news: known,
        only: database,
        audit,
        signal,
        fresh,
      }),
    );
  } finally {
    await audit.close();
  }
}

function expectKnown({ databases, gone }: KnownDatabases, name: string): void {
  if ([...databases, ...gone].some((each) => each.name === name)) return;
  const known = databases.map((database) => database.name).join(", ") || "none";
  throw new TrivaultError(
    "NOT_FOUND",
    `No database named ${JSON.stringify(name)} is configured here; there is ${known}.`,
    {
      permanent: true,
    },
  );
}

function tables(report: HealthReport): string[] {
  const { lastSyncTime, syncStatus, diskUsage } = report;
  const synced =
    lastSyncTime === null ? "none has come yet" : `the last one came ${formatTime(new Date(lastSyncTime))}`;
  return [
    ...(report.databases.length > 0 ? [databaseTable(report), ""] : []),
    tierTable(report),
    ...report.tiers.flatMap(({ name, unknown, unknownReason: reason }) =>
      reason === null ? [] : [`${unknown} on ${name} could not be read: ${reason}`],
    ),
    "",
    ...(report.orphans.length > 0 ? [orphanTable(report), ""] : []),
    `Copies to other tiers: ${syncStatus}; ${synced}.`,
    `Disks: local ${diskUsage.local}, remote ${diskUsage.remote}, cloud ${diskUsage.cloud}.`,
  ];
}

function databaseTable({ databases, tiers }: HealthReport): string {
  const names = tiers.map(({ name }) => name);
  return table(
    ["DATABASE", "SAFE", ">OBJECTIVE", "NEXT RUN", "LAST RUN", ...names.map((name) => name.toUpperCase())],
    databases.map((database) => [
      database.name,
      database.ok ? "yes" : "NO",
      database.objectiveSeconds === null ? "any" : formatSpan(database.objectiveSeconds),
      database.nextRun === null ? "on demand" : formatTime(new Date(database.nextRun)),
      database.lastRun === null ? "" : `${database.lastRun.outcome} ${formatTime(new Date(database.lastRun.at))}`,
      ...names.map((name) => tierCell(database, name)),
    ]),
  );
}

/** `14 min ago`, and with an exclamation mark where that is too long; the number of copies that are lacking. */
function tierCell({ tiers }: DatabaseHealth, name: string): string {
  const tier = tiers.find((candidate) => candidate.tier === name);
  if (tier === undefined) return "-";
  const age = tier.ageSeconds === null ? "none" : formatAge(tier.ageSeconds * 1000);
  const lacking = tier.lacking === null || tier.lacking === 0 ? "" : `, ${tier.lacking} lacking`;
  return `${age}${tier.ok ? "" : " !"}${lacking}`;
}

function tierTable({ tiers }: HealthReport): string {
  return table(
    [
      "TIER",
      "KIND",
      "STATE",
      ">BACKUPS",
      ">DAMAGED",
      ">UNTRUSTED",
      ">UNKNOWN",
      ">UNFINISHED",
      ">SIZE",
      ">FREE",
      "LOOKED AT",
    ],
    tiers.map((tier) => [
      tier.name,
      tier.kind,
      tier.reachable ? (tier.overBudget ? "over budget" : "ok") : "UNREACHABLE",
      String(tier.complete),
      String(tier.damaged),
      String(tier.untrusted),
      String(tier.unknown),
      String(tier.partial),
      formatBytes(tier.bytes),
      tier.free === null ? "" : formatBytes(tier.free),
      tier.scannedAt === null ? "never" : formatTime(new Date(tier.scannedAt)),
    ]),
  );
}

/** What nobody backs up: databases that are gone, and backups of none that is configured. */
function orphanTable({ orphans }: HealthReport): string {
  return table(
    ["NOT BACKED UP", "WHY", "SINCE", ">BACKUPS", ">SIZE", "NEWEST"],
    orphans.map(({ name, reason, acknowledged, since, backups, bytes, newestBackupId }) => [
      name,
      reason === "gone"
        ? `gone from its server${acknowledged === null ? " !" : `; acknowledged by ${acknowledged.by}`}`
        : { "not-configured": "not configured", "restored-into": "left out: Trivault restored into it" }[reason],
      since === null ? "" : formatTime(new Date(since)),
      String(backups),
      formatBytes(bytes),
      newestBackupId ?? "",
    ]),
  );
}

function formatSpan(seconds: number): string {
  return seconds % 3600 === 0 ? `${seconds / 3600} h` : formatSeconds(seconds);
}

function oneLine(text: string): string {
  return hidePasswords(text).replaceAll(/\s+/g, " ").replaceAll("|", "/"); // what follows a bar is performance data
}
