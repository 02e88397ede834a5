import type { Expiring, Safety, Sizes } from "./facts.ts";

/** What an alert says. */
export interface AlertText {
  readonly title: string;
  readonly what: string;
  /** Null where nothing that is stored is in question. */
  readonly safe: string | null;
  readonly todo: string;
  readonly facts: readonly (readonly [name: string, value: string])[];
}

/** Since when it is so. */
interface Begun {
  readonly since: Date;
  readonly now: Date;
}

type Say<Facts> = (facts: Begun & Readonly<Facts>) => AlertText;
type Names = readonly string[];

/**
 * The words of a language, of each rule those of one alert. Names stand as they are, times and counts are not written yet:
 * how they are put, and what agrees with them, is the language's. Texts that are empty, and numbers that are null, are not
 * known, and nothing is said of them.
 */
export interface RunTexts {
  /** `server`: what several databases have in common. `reason` is a program's own text. */
  readonly runFailed: Say<{ databases: Names; server: string; code: string; reason: string; safety: Safety }>;
  readonly sizeUnusual: Say<{ sizes: readonly Sizes[]; safety: Safety }>;
  /** `rulesChanged`: they go by themselves after the time of grace; else not without a person. */
  readonly retentionHeld: Say<{ databases: Names; tier: string; reason: string; rulesChanged: boolean }>;
}

export interface CopyTexts {
  /** `backups`: of all of them together. */
  readonly databaseVanished: Say<{ databases: Names; server: string; backups: number }>;
  /** `late`: the local tier lacks them as well. `age` and `most`, in seconds, where they are the same for all. */
  readonly objectiveMissed: Say<{
    databases: Names;
    tiers: Names;
    late: boolean;
    age: number | null;
    most: number | null;
    safety: Safety;
  }>;
  readonly copyLag: Say<{ databases: Names; tier: string; lacking: number; safety: Safety }>;
  /**
   * `backups`: those that a verification found, and what it said; where it found none, maintenance found `copies`. `round`:
   * how often maintenance comes, in seconds.
   */
  readonly damageFound: Say<{
    tier: string;
    databases: Names;
    backups: Names;
    reason: string;
    copies: number;
    round: number;
    safety: Safety;
  }>;
  readonly untrustedBackups: Say<{ tier: string; copies: number }>;
  /** `reason`: of one of them, as the tier put it. */
  readonly unknownCopies: Say<{ tier: string; copies: number; databases: Names; reason: string; safety: Safety }>;
}

export interface TierTexts {
  readonly tierUnreachable: Say<{ tier: string; databases: Names; reason: string; safety: Safety }>;
  /** `free` in bytes, `share` from 0 to 1; `fullAt` lies ahead. */
  readonly tierFilling: Say<{ tier: string; free: number | null; share: number | null; fullAt: Date | null }>;
  /** In bytes. `stops`: no new copy is taken. */
  readonly tierOverBudget: Say<{ tier: string; used: number | null; budget: number | null; stops: boolean }>;
  readonly tierShrunk: Say<{ tier: string; databases: Names; copies: number; safety: Safety }>;
}

export interface WorkerTexts {
  /** `all`: of every queue. */
  readonly noWorker: Say<{ queues: Names; all: boolean; waiting: number }>;
  readonly queueUnreachable: Say<{ reason: string }>;
  readonly schedulerSilent: Say<object>;
  /** In seconds. */
  readonly clockDrift: Say<{ host: string; drift: number; ahead: boolean }>;
}

export interface SiteTexts {
  readonly expiring: (facts: Expiring & { readonly now: Date }) => AlertText;
  /** `place`: of the first that was found, of `problems`; null where all of the audit log was not checked. */
  readonly auditBroken: Say<{ place: { file: string; line: number; what: string } | null; problems: number }>;
  readonly configRefused: Say<{ reason: string; processes: Names }>;
  /** Ids of rules, and what the first one said. */
  readonly ruleFailed: Say<{ rules: Names; reason: string }>;
  readonly channelFailed: Say<{ channel: string; reason: string }>;
}

/** What stands around them. */
export interface FrameTexts {
  /** The paragraphs of an alert. */
  readonly text: (text: AlertText) => string;
  /** Before the text of one that is sent again. */
  readonly repeated: (seconds: number, text: string) => string;
  /** At its end. `elsewhere`: what goes on under another name. */
  readonly ended: (facts: Begun & { readonly elsewhere: Names }) => string;
  /** Name of the fact that is its id. */
  readonly alert: string;
  readonly test: { readonly title: string; readonly text: string };
  /** Why the dead man's switch reports that the site is not healthy. */
  readonly notWell: {
    readonly neverLooked: string;
    readonly silent: (seconds: number) => string;
    /** `reason`: null where it is not known. */
    readonly stale: (at: Date, reason: string | null) => string;
    readonly failed: (reason: string) => string;
  };
}

export type Texts = RunTexts & CopyTexts & TierTexts & WorkerTexts & SiteTexts & FrameTexts;
