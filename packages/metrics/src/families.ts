/**
 * Every metric of a site that is read from its files, tiers and queues; docs/metrics.md describes the same for people. Each scrape
 * writes them anew, so what is gone is gone. Counters are those of the audit log (tally.ts).
 */
interface Family {
  readonly type: "gauge" | "counter";
  readonly help: string;
  readonly labels: readonly string[];
}

const family =
  (type: Family["type"]) =>
  (help: string, ...labels: string[]): Family => ({ type, help, labels });
const gauge = family("gauge");
const counter = family("counter");

export const FAMILIES = {
  trivault_observer_up: gauge("1: databases and tiers could be looked at; 0: their series are absent."),
  trivault_observed_timestamp_seconds: gauge("When databases and tiers were last looked at."),
  trivault_site_safe: gauge("1: every database meets its objective on each of its tiers, by the newest look."),

  trivault_database_safe: gauge("1: the database meets its objective on each of its tiers.", "database"),
  trivault_database_objective_seconds: gauge(
    "How old the newest good copy on each tier may be; absent: any will do.",
    "database",
  ),
  trivault_database_next_run_timestamp_seconds: gauge("When the next scheduled run begins.", "database"),
  trivault_database_last_run_timestamp_seconds: gauge("When the newest run began.", "database"),
  trivault_database_last_run_state: gauge("1 for the state of the newest run, 0 for the others.", "database", "state"),
  trivault_database_last_run_duration_seconds: gauge(
    "The newest run, from its beginning to the last thing that happened to it.",
    "database",
  ),
  trivault_database_last_run_bytes: gauge("Size of the newest run's backup, as it lies on a tier.", "database"),
  trivault_database_recent_runs: gauge("Runs that began in the last 30 days, by how they ended.", "database", "result"),

  trivault_copy_last_success_timestamp_seconds: gauge(
    "When the newest complete and trusted backup on the tier was begun; absent: there is none.",
    "database",
    "tier",
  ),
  trivault_copy_age_seconds: gauge("Age of that backup; absent: there is none.", "database", "tier"),
  trivault_copy_objective_met: gauge("1: it is there, and no older than the objective.", "database", "tier"),
  trivault_copy_backups: gauge("Complete and trusted backups on the tier.", "database", "tier"),
  trivault_copy_bytes: gauge("Bytes of those backups.", "database", "tier"),
  trivault_copy_lacking: gauge(
    "Backups that shall be on the tier and are not; absent: the tier could not be looked at.",
    "database",
    "tier",
  ),

  trivault_tier_reachable: gauge("1: the tier answers; 0: its figures are what was known last.", "tier", "kind"),
  trivault_tier_scanned_timestamp_seconds: gauge("When the tier was last listed.", "tier"),
  trivault_tier_bytes: gauge("Bytes of all copies on the tier.", "tier"),
  trivault_tier_free_bytes: gauge("Bytes that are free on the tier, where it reports them.", "tier"),
  trivault_tier_capacity_bytes: gauge("Bytes that the tier can hold, where it reports them.", "tier"),
  trivault_tier_copies: gauge("Copies on the tier by state.", "tier", "state"),
  trivault_tier_latency_seconds: gauge("How long a small request to the tier takes.", "tier"),
  trivault_tier_growth_bytes_per_second: gauge("What the tier grows by, over the last days.", "tier"),
  trivault_tier_full_timestamp_seconds: gauge("When the tier will be full at that rate; absent: never.", "tier"),
  trivault_tier_cost_per_month: gauge("What the copies cost a month, where prices are configured.", "tier"),
  trivault_tier_over_budget: gauge("1: the copies take more than the tier's budget.", "tier"),

  trivault_record_up: gauge("1: the audit log could be read; 0: the series from it are absent."),
  trivault_stage_attempts_total: counter(
    "Attempts in the audit log, by how they ended.",
    "database",
    "stage",
    "tier",
    "outcome",
  ),
  trivault_stage_failures_total: counter(
    "Failed and refused attempts in the audit log, by the code of the error.",
    "database",
    "stage",
    "tier",
    "code",
  ),
  trivault_stage_bytes_total: counter("Bytes that attempts moved or read.", "database", "stage", "tier"),
  trivault_stage_seconds_total: counter("Seconds that attempts took.", "database", "stage", "tier"),
  trivault_stage_last_ok: gauge("1: the newest attempt succeeded.", "database", "stage", "tier"),
  trivault_stage_last_timestamp_seconds: gauge("When the newest attempt ended.", "database", "stage", "tier"),
  trivault_stage_last_success_timestamp_seconds: gauge(
    "When the newest attempt that succeeded ended.",
    "database",
    "stage",
    "tier",
  ),
  trivault_stage_last_success_duration_seconds: gauge("How long that attempt took.", "database", "stage", "tier"),
  trivault_missed_runs_total: counter("Scheduled times that nothing was run for.", "database"),
  trivault_deleted_copies_total: counter("Copies that retention deleted.", "tier"),

  trivault_queue_up: gauge("1: Redis answers; 0: the series of queues are absent."),
  trivault_queue_jobs: gauge("Jobs by state; finished ones as long as they are remembered.", "queue", "state"),
  trivault_queue_oldest_waiting_seconds: gauge("How long the job that waits longest has; 0: none waits.", "queue"),
  trivault_queue_workers: gauge("Worker processes that take jobs of the queue.", "queue"),

  trivault_heartbeat_timestamp_seconds: gauge(
    "When the process last said that it lives, by the clock of BACKUP_DIR.",
    "service",
    "host",
    "pid",
  ),
  trivault_heartbeat_age_seconds: gauge("How long ago that was.", "service", "host", "pid"),
  trivault_clock_drift_seconds: gauge(
    "How far the clock of the process is ahead of Redis's.",
    "service",
    "host",
    "pid",
  ),
  trivault_scheduler_timestamp_seconds: gauge("When any process last looked at the schedules."),

  trivault_alerts_firing: gauge("Alerts that fire now and are not silenced.", "rule", "severity"),
} as const satisfies Record<string, Family>;

export type FamilyName = keyof typeof FAMILIES;

export interface Sample {
  readonly name: FamilyName;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}
