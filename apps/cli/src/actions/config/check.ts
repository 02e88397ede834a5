import { type Config, formatBytes, formatDuration, type Selection, visibleLine } from "@trivault/core";
import { checkConnections, type ConnectionCheck, describeConfig, type InForce } from "@trivault/site";
import { readEnvironment } from "../../environment.ts";
import { EXIT } from "../../exit-codes.ts";
import { facts, formatTime, printJson, printText, table } from "../../output.ts";
import type { Running } from "../../perform.ts";

export interface ConfigCheckOptions {
  readonly offline?: boolean;
  readonly json?: boolean;
}

export async function checkConfig(options: ConfigCheckOptions, { signal, json }: Running): Promise<number> {
  const { config } = readEnvironment("backup");
  const inForce = describeConfig(config, new Date());
  if (!json) printText(readable(config, inForce));
  const connections = options.offline ? [] : await checkConnections(config, signal);
  const ok = connections.every((connection) => connection.ok);
  if (json) printJson({ ok, ...inForce, connections: options.offline ? null : connections });
  else if (!options.offline) printText(`\n${connectionLines(connections)}`);
  return ok ? EXIT.ok : EXIT.failed;
}

function readable(config: Config, inForce: InForce): string {
  const { limits, encryption } = config;
  const about = facts([
    ["Settings", config.configFile === null ? "the environment" : `${config.configFile} and the environment`],
    ["Backup folder", config.backupDir],
    [
      "Encryption",
      encryption.mode === "none"
        ? "NONE"
        : `age, ${encryption.recipients.length} recipient${encryption.recipients.length === 1 ? "" : "s"}`,
    ],
    ["Redis", [...(inForce.redis.url === null ? [] : [inForce.redis.url]), inForce.redis.protection].join(": ")],
    ["Dumps at a time", `${limits.dumpsPerServer} per server, ${limits.dumpsPerSite} in all`],
    ["Spread over", formatDuration(limits.spreadSeconds)],
    ["Maintenance every", `${limits.maintenanceMinutes} min`],
    ["Changed rules delete after", formatDuration(limits.retentionGraceSeconds)],
    ["Alerts to", alertsText(inForce.alerts)],
    ["Reports", reportsText(inForce.reports)],
  ]);
  const databases = table(
    ["DATABASE", "SCHEDULE", "TIME ZONE", "NEXT RUN", "TIERS", "OBJECTIVE", ">PRIORITY", "WHAT"],
    inForce.databases.map((database) => [
      database.name,
      database.schedule ?? "off",
      database.timeZone,
      database.nextRun === null ? "on demand" : formatTime(database.nextRun),
      database.tiers.join(" "),
      database.objective ?? "as scheduled",
      String(database.priority),
      selectionText(database.selection),
    ]),
  );
  const servers = table(
    ["SERVER", "SCHEDULE", "TIME ZONE", "DATABASES", "TIERS"],
    inForce.servers.map((server) => [
      server.name,
      server.schedule ?? "off",
      server.timeZone,
      [server.include.join(" "), ...(server.exclude.length === 0 ? [] : [`but ${server.exclude.join(" ")}`])].join(" "),
      server.tiers.join(" "),
    ]),
  );
  const kept = table(["KEPT OF", "TIERS", "RULES"], [...inForce.databases, ...inForce.servers].flatMap(retentionRows));
  const tiers = table(
    ["TIER", "KIND", "WHERE", "BUDGET", "CLASS"],
    inForce.tiers.map((tier) => [tier.name, tier.kind, tier.place, budgetText(tier.budget), classText(tier)]),
  );
  const parts = [about, ...(inForce.databases.length > 0 ? [databases] : [])];
  return [...parts, ...(inForce.servers.length > 0 ? [servers] : []), kept, tiers].join("\n\n");
}

function alertsText({ channels, deadMan }: InForce["alerts"]): string {
  const addresses = channels.map(({ name, kind, to, from }) => {
    return `${name} (${kind}, ${to.join(" ")}${from === "critical" ? ", critical ones only" : ""})`;
  });
  const ping = deadMan === null ? [] : [`a dead man's switch at ${deadMan.host}, every ${deadMan.every}`];
  const all = [...addresses, ...ping];
  return all.length === 0 ? "NOBODY (npm run backup:alerts:configure)" : all.join(", ");
}

function reportsText({ schedule, timeZone, to }: InForce["reports"]): string {
  if (schedule === null) return "on demand";
  return `${schedule} ${timeZone}, ${to.length === 0 ? "kept in the backup folder" : `mailed to ${to.join(" ")}`}`;
}

/** One line for all tiers with the same rules. */
function retentionRows({ name, retention }: { name: string; retention: Record<string, string> }): string[][] {
  const byRules = Map.groupBy(Object.entries(retention), ([, rules]) => rules);
  return [...byRules].map(([rules, tiers]) => [
    name,
    tiers.map(([tier]) => tier).join(" "),
    rules === "off" ? "everything" : rules,
  ]);
}

function selectionText({ schemas, tables, excludeSchemas, excludeTables }: Selection): string {
  const list = (what: string, patterns: readonly string[]) =>
    patterns.length === 0 ? [] : [`${what} ${patterns.join(" ")}`];
  const parts = [
    ...list("schemas", schemas),
    ...list("tables", tables),
    ...list("not the schemas", excludeSchemas),
    ...list("not the tables", excludeTables),
  ];
  return parts.length === 0 ? "all" : parts.join(", ");
}

function budgetText(budget: InForce["tiers"][number]["budget"]): string {
  return budget === null ? "none" : `${formatBytes(budget.bytes)}, then ${budget.whenFull}`;
}

function classText({ storageClass, lifecycle }: InForce["tiers"][number]): string {
  const later = lifecycle.map((step) => `${step.storageClass} after ${step.afterDays}d`);
  return [...(storageClass === null ? [] : [storageClass]), ...later].join(", ") || "-";
}

function connectionLines(connections: readonly ConnectionCheck[]): string {
  return connections
    .map(({ kind, name, ok, detail, advice }) => {
      const line = visibleLine(`${(ok ? "ok" : "FAILED").padEnd(6)}  ${kind} ${name}: ${detail}`);
      return advice === null ? line : `${line}\n        what to do: ${visibleLine(advice)}`;
    })
    .join("\n");
}
