import { DAY_SECONDS } from "../../time.ts";
import type { Language } from "../../language.ts";

/** What is sent, to whom, and when: the sections `mail`, `alerts` and `reports` of `trivault.config.yaml`. */
export interface MonitoringConfig {
  /** Null: nothing can be mailed. */
  readonly mail: MailConfig | null;
  readonly alerts: AlertsConfig;
  readonly reports: ReportsConfig;
}

export interface MailConfig {
  readonly host: string;
  readonly port: number;
  /** `tls`: from the first byte (465). `starttls`: required before the login (587). `none`: plaintext, for this machine only. */
  readonly security: "tls" | "starttls" | "none";
  readonly user: string | null;
  /** Secret. */
  readonly password: string | null;
  /** Such as `Trivault <backup@example.org>`. */
  readonly from: string;
}

/** What alerts are about, by id (docs/alerts.md). */
export const ALERT_RULES = [
  "run-failed",
  "objective-missed",
  "database-vanished",
  "copy-lag",
  "tier-unreachable",
  "tier-filling",
  "tier-over-budget",
  "tier-shrunk",
  "damage-found",
  "untrusted-backups",
  "unknown-copies",
  "size-unusual",
  "no-worker",
  "queue-unreachable",
  "scheduler-silent",
  "clock-drift",
  "expiring",
  "audit-broken",
  "config-refused",
  "retention-held",
  "channel-failed",
  "rule-failed",
] as const;
export type AlertRule = (typeof ALERT_RULES)[number];

export type Severity = "warning" | "critical";

export interface AlertsConfig {
  readonly channels: readonly ChannelConfig[];
  /** The language of what is sent through channels; the dashboard speaks that of its reader. */
  readonly language: Language;
  /** Pinged while everything is healthy, so that silence itself raises the alarm elsewhere (healthchecks.io and the like). */
  readonly deadMan: { readonly url: string; readonly everySeconds: number } | null;
  /** An alert that lasts is sent again after this. */
  readonly repeatSeconds: number;
  /** Rules that are switched off, by id. */
  readonly off: readonly AlertRule[];
  readonly thresholds: AlertThresholds;
}

export interface AlertThresholds {
  /** A copy that shall be on a tier and is not, so long after its backup. */
  readonly copyLagSeconds: number;
  /** A tier that will be full in less, at the rate of the last days. */
  readonly fullInSeconds: number;
  /** Share of a tier's capacity that is free, below which an alert fires whatever its growth; 0 to 1. */
  readonly leastFree: number;
  /** A backup so many times larger or smaller than the median of those before it. */
  readonly sizeFactor: number;
  /** Clocks that differ by more. */
  readonly clockDriftSeconds: number;
  /** Certificates, tokens and keys that expire in less. */
  readonly expiresInSeconds: number;
  /** A queue without a worker, or a scheduler that was not heard of, for so long. */
  readonly silentSeconds: number;
}

/** Where messages go. `url`, `botToken`, `token` and `secret` are secrets. */
export type ChannelConfig = {
  readonly name: string;
  /** Lesser ones are not sent there. */
  readonly from: Severity;
} & (
  | { readonly kind: "email"; readonly to: readonly string[] }
  | { readonly kind: "slack"; readonly url: string }
  | { readonly kind: "discord"; readonly url: string }
  | { readonly kind: "teams"; readonly url: string }
  | { readonly kind: "telegram"; readonly botToken: string; readonly chatId: string; readonly apiUrl: string }
  /** `url` is the topic's, such as `https://ntfy.sh/acme-backups`. */
  | { readonly kind: "ntfy"; readonly url: string; readonly token: string | null }
  /** Signed with HMAC-SHA-256 where there is a secret. */
  | { readonly kind: "webhook"; readonly url: string; readonly secret: string | null }
);

export interface ReportsConfig {
  /** Null: only on demand. */
  readonly schedule: { readonly cron: string; readonly timeZone: string } | null;
  readonly to: readonly string[];
  readonly language: Language;
  /** Reports older than this are removed from `BACKUP_DIR`. */
  readonly keepDays: number;
  /** What durations and rates are measured against. */
  readonly targets: {
    readonly backupSeconds: number;
    readonly syncSeconds: number;
    readonly restoreSeconds: number;
    /** 0 to 1, over 30 days. */
    readonly availability: number;
    readonly successRate: number;
  };
}

/** What holds where the configuration file says nothing. */
export const DEFAULT_MONITORING: MonitoringConfig = {
  mail: null,
  alerts: {
    channels: [],
    language: "en",
    deadMan: null,
    repeatSeconds: 4 * 3600,
    off: [],
    thresholds: {
      copyLagSeconds: 3600,
      fullInSeconds: 7 * DAY_SECONDS,
      leastFree: 0.05,
      sizeFactor: 2,
      clockDriftSeconds: 30,
      expiresInSeconds: 14 * DAY_SECONDS,
      silentSeconds: 120,
    },
  },
  reports: {
    schedule: { cron: "0 7 * * *", timeZone: "UTC" },
    to: [],
    language: "en",
    keepDays: 400,
    targets: { backupSeconds: 300, syncSeconds: 600, restoreSeconds: 1800, availability: 0.9999, successRate: 0.999 },
  },
};
