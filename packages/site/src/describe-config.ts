import {
  type ChannelConfig,
  type Config,
  type DatabaseConfig,
  formatDuration,
  formatRetention,
  hidePasswords,
  type MonitoringConfig,
  placeOf,
  redisProtection,
} from "@trivault/core";
import { nextSlot, spreadSeconds } from "@trivault/schedule";

export type InForce = ReturnType<typeof describeConfig>;

/** What is in force, as far as one may see it: no secret. */
export function describeConfig(config: Config, now: Date) {
  // As the scheduler has it: a single database need not give way to others.
  const several = config.databases.length + config.servers.length > 1;
  const common = (database: Omit<DatabaseConfig, "name">) => ({
    url: hidePasswords(database.url),
    schedule: database.schedule?.cron ?? null,
    timeZone: database.timeZone,
    tiers: database.tiers,
    retention: Object.fromEntries(
      Object.entries(database.retention).map(([tier, policy]) => [tier, formatRetention(policy)]),
    ),
    objective: database.objectiveSeconds === null ? null : formatDuration(database.objectiveSeconds),
    priority: database.priority,
  });
  const nextRun = ({ name, schedule }: DatabaseConfig) => {
    if (schedule === null) return null;
    const spread = spreadSeconds(name, schedule, several ? config.limits.spreadSeconds : 0) * 1000;
    return new Date(nextSlot(schedule, new Date(now.getTime() - spread)).getTime() + spread);
  };
  return {
    configFile: config.configFile,
    backupDir: config.backupDir,
    encryption: config.encryption,
    databases: config.databases.map((database) => ({
      name: database.name,
      ...common(database),
      nextRun: nextRun(database),
      selection: database.selection,
    })),
    servers: config.servers.map((server) => ({
      name: server.name,
      ...common(server),
      include: server.include,
      exclude: server.exclude,
    })),
    tiers: config.tiers.map((tier) => ({
      name: tier.name,
      kind: tier.kind,
      place: placeOf(tier),
      budget: tier.budget,
      prices: tier.prices,
      storageClass: tier.kind === "s3" ? tier.storageClass : null,
      lifecycle: tier.kind === "s3" ? tier.lifecycle : [],
    })),
    limits: config.limits,
    redis: {
      url: config.redisUrl === null ? null : hidePasswords(config.redisUrl),
      protection: redisProtection(config.redisUrl),
    },
    ...describeMonitoring(config.monitoring),
    warnings: config.warnings,
  };
}

function describeMonitoring({ mail, alerts, reports }: MonitoringConfig) {
  const { password: _secret, ...mailServer } = mail ?? { password: null };
  return {
    mail: mail === null ? null : mailServer,
    alerts: {
      channels: alerts.channels.map((channel) => ({
        name: channel.name,
        kind: channel.kind,
        from: channel.from,
        to: addresseesOf(channel),
      })),
      deadMan: alerts.deadMan && {
        host: new URL(alerts.deadMan.url).host,
        every: formatDuration(alerts.deadMan.everySeconds),
      },
      language: alerts.language,
      repeat: formatDuration(alerts.repeatSeconds),
      off: alerts.off,
    },
    reports: {
      schedule: reports.schedule?.cron ?? null,
      timeZone: reports.schedule?.timeZone ?? null,
      to: reports.to,
      language: reports.language,
      keepDays: reports.keepDays,
    },
  };
}

/** The host alone of an address that is itself a secret, as those of webhooks are. */
function addresseesOf(channel: ChannelConfig): readonly string[] {
  if (channel.kind === "email") return channel.to;
  return channel.kind === "telegram" ? [channel.chatId] : [new URL(channel.url).host];
}
