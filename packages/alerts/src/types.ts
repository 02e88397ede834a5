import type { AuditVerdict } from "@trivault/audit";
import type { AlertRule, Config, QueueName, Severity } from "@trivault/core";
import type { Heartbeat } from "@trivault/site";
import type { Overview } from "@trivault/monitor";
import type { Incidents } from "./incidents.ts";
import type { Expiring } from "./texts/facts.ts";
import type { AlertText } from "./texts/texts.ts";

/** All that the rules look at, at one moment. */
export interface Observation {
  readonly now: Date;
  readonly config: Config;
  /** Null: the site could not be looked at yet. */
  readonly overview: Overview | null;
  readonly heartbeats: readonly Heartbeat[];
  readonly queues: QueuesSeen;
  /** What the audit log shows, and has not shown the end of. */
  readonly incidents: Incidents;
  /** Null: nobody has looked yet. */
  readonly expiries: readonly Expiry[] | null;
  /** What the last check of the audit log found; null: none was made yet. */
  readonly record: (Pick<AuditVerdict, "ok" | "problems"> & { readonly checkedAt: Date }) | null;
  /** Channels that did not take what they were sent, since when and why. */
  readonly failingChannels: readonly { readonly name: string; readonly since: Date; readonly reason: string }[];
}

/** `null`: there is no queue here to ask. */
export type QueuesSeen = readonly QueueSeen[] | { readonly unreachable: string } | null;

export interface QueueSeen {
  readonly queue: QueueName;
  readonly waiting: number;
  readonly workers: number;
}

/** Something that ends at a known time. */
export type Expiry = Omit<Expiring, "at"> & {
  /** Null: it could not be asked. */
  readonly at: Date | null;
};

/** One thing that is wrong. Those of one rule and subject are reported together, as one alert. */
export interface Sign {
  readonly rule: AlertRule;
  /** What they have in common: a server, a tier, a queue. */
  readonly subject: string;
  /** What of it. */
  readonly member: string;
  readonly severity: Severity;
  readonly since: Date;
  /** It must last for so long before it is sent. */
  readonly holdSeconds: number;
  /** Another alert reports its cause. */
  readonly suppressed: boolean;
  /** For the words, whatever language they are in; kept from one version of this program to the next. */
  readonly data: Readonly<Record<string, Datum>>;
}

/** Names and messages as text, sizes in bytes, durations in seconds, times as ISO 8601; null: not known. */
export type Datum = string | number | boolean | null;

export type Words = AlertText & {
  /** A page of the dashboard, as a path. */
  readonly link: string | null;
};

/** One that fires, or would if nobody had silenced it. Times are ISO 8601. */
export interface Alert {
  /** The same whenever it comes back: for silences. */
  readonly id: string;
  readonly rule: AlertRule;
  readonly severity: Severity;
  readonly title: string;
  readonly text: string;
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly link: string | null;
  readonly members: readonly string[];
  /** When what it reports began. */
  readonly since: string;
  readonly raisedAt: string;
  readonly toldAt: string | null;
  readonly silence: Omit<Silence, "alert"> | null;
}

/** One that is over. */
export type EndedAlert = Omit<Alert, "silence" | "toldAt"> & { readonly endedAt: string };

export interface Silence {
  /** The id of an alert. */
  readonly alert: string;
  readonly reason: string;
  readonly by: string;
  readonly at: string;
  readonly until: string;
}
