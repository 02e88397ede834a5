/**
 * A process of the site says every few seconds that it lives: `BACKUP_DIR/.trivault/heartbeats/<host>.<pid>.json`. So whoever
 * watches learns of workers that died without asking the queue.
 */
export interface Heartbeat {
  readonly host: string;
  readonly pid: number;
  readonly service: "worker" | "api" | "trivault" | "monitor";
  readonly version: string;
  readonly startedAt: Date;
  /** By that process's own clock. */
  readonly at: Date;
  /** By the file system's clock, which all hosts of the site share. */
  readonly seenAt: Date;
  /** The queues that it takes jobs of. */
  readonly queues: readonly string[];
  /** When it last looked at the schedules; null where it does not. */
  readonly schedulesLookedAt: Date | null;
  /** Its clock's lead over Redis's, in seconds; null where that is not known. */
  readonly redisDriftSeconds: number | null;
}
