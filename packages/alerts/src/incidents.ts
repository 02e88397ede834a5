import type { AuditAction, RecordedEvent } from "@trivault/audit";
import { z } from "zod";

/**
 * Conditions that begin with one event of the audit log and last until another: a run that failed, until one succeeds; damage, until the copy
 * is whole again. Kept from one start to the next, so that each event is looked at once.
 */
const schema = z.object({
  kind: z.enum([
    "run-failed",
    "tier-trouble",
    "lost-copies",
    "damage",
    "audit-broken",
    "config-refused",
    "retention-held",
    /** Sizes before it count no more. */
    "size-accepted",
  ]),
  since: z.coerce.date(),
  /** When it was last recorded. */
  lastAt: z.coerce.date(),
  database: z.string().nullable(),
  tier: z.string().nullable(),
  backupId: z.string().nullable(),
  code: z.string().nullable(),
  message: z.string().nullable(),
  /** How many were lost; null for all other kinds. */
  copies: z.int().nullable().default(null),
  /** Which process: `<host>/<service>`. */
  process: z.string().nullable(),
});
/** A version before kept the number of lost copies as the message. */
export const incidentSchema = schema.transform((incident) =>
  incident.kind === "lost-copies" && incident.copies === null
    ? { ...incident, copies: Number.parseInt(incident.message ?? "1", 10) || 1, message: null }
    : incident,
);
export type Incident = Readonly<z.infer<typeof incidentSchema>>;

/** By what they are about, so that one that is recorded again stays one. */
export type Incidents = Readonly<Record<string, Incident>>;

/** The events that matter here. */
export const FOLLOWED: readonly AuditAction[] = [
  "backup.dump",
  "backup.encrypt",
  "backup.copy",
  "backup.verified",
  "backup.deleted",
  "tier.vanished",
  "tier.shrunk",
  "tier.repaired",
  "tier.reachable",
  "config.refused",
  "config.loaded",
  "retention.held",
  "size.accepted",
  "audit.broken",
];

export function takeEvent(incidents: Incidents, event: RecordedEvent): Incidents {
  const { database = "", tier = "", backupId = "" } = event;
  const copy = `damage ${database}/${backupId}/${tier}`;
  const isFinal = event.details?.["retried"] !== true;
  const ok = event.outcome === "ok";
  switch (event.action) {
    case "backup.dump":
      return !ok && isFinal ? opened(incidents, `run ${database}`, "run-failed", event) : incidents;
    case "backup.encrypt":
      // Only now is there a backup.
      if (ok) return closed(incidents, [`run ${database}`]);
      return isFinal ? opened(incidents, `run ${database}`, "run-failed", event) : incidents;
    case "backup.copy":
      // A copy that was missing is there again, verified as it was put; a damaged one is not read anew by this.
      if (ok) return closed(incidents, [`tier ${tier}`, ...(incidents[copy]?.code === "MISSING" ? [copy] : [])]);
      return event.error?.code === "STORE_UNREACHABLE"
        ? opened(incidents, `tier ${tier}`, "tier-trouble", event)
        : incidents;
    case "tier.reachable":
      return closed(incidents, [`tier ${tier}`]);
    case "backup.verified": {
      if (ok) return closed(incidents, [copy]);
      const state = event.details?.["state"];
      return state === "damaged" || state === "missing" ? opened(incidents, copy, "damage", event) : incidents;
    }
    case "tier.repaired":
      return closed(incidents, [copy]);
    case "backup.deleted":
      return ok ? closed(incidents, [copy]) : incidents;
    case "tier.vanished":
    case "tier.shrunk":
      return opened(incidents, `lost ${database}/${tier}`, "lost-copies", event);
    case "retention.held":
      // Its end is recorded as well: that something else was deleted says nothing of what is held.
      if (ok) return closed(incidents, [`held ${database}/${tier}`]);
      return opened(incidents, `held ${database}/${tier}`, "retention-held", event);
    case "size.accepted":
      return opened(
        without(incidents, ({ kind, database: of }) => kind === "retention-held" && of === database),
        `size ${database}`,
        "size-accepted",
        event,
      );
    case "config.refused":
      return opened(incidents, `config ${processOf(event)}`, "config-refused", event);
    case "config.loaded":
      return closed(incidents, [`config ${processOf(event)}`]);
    case "audit.broken":
      return opened(incidents, "audit", "audit-broken", event);
    default:
      return incidents;
  }
}

export function without(incidents: Incidents, ended: (incident: Incident) => boolean): Incidents {
  const left = Object.entries(incidents).filter(([, incident]) => !ended(incident));
  return left.length === Object.keys(incidents).length ? incidents : Object.fromEntries(left);
}

function closed(incidents: Incidents, keys: readonly string[]): Incidents {
  if (!keys.some((key) => Object.hasOwn(incidents, key))) return incidents;
  return Object.fromEntries(Object.entries(incidents).filter(([key]) => !keys.includes(key)));
}

function opened(incidents: Incidents, key: string, kind: Incident["kind"], event: RecordedEvent): Incidents {
  const { at, database = null, tier = null, backupId = null, error, details } = event;
  const before = Object.hasOwn(incidents, key) ? incidents[key] : undefined;
  const text = error?.message ?? details?.["message"] ?? null;
  const incident: Incident = {
    kind,
    since: before?.since ?? at,
    lastAt: at,
    database,
    tier,
    backupId,
    code: error?.code ?? (kind === "retention-held" ? String(details?.["why"] ?? "mass") : null),
    message: text === null ? null : String(text),
    copies: kind === "lost-copies" ? lostIn(event) : null,
    process: kind === "config-refused" ? processOf(event) : null,
  };
  return { ...incidents, [key]: incident };
}

function lostIn({ details }: RecordedEvent): number {
  const copies = details?.["copies"];
  return typeof copies === "number" ? copies : 1;
}

function processOf({ host, details }: RecordedEvent): string {
  return `${host}/${String(details?.["service"] ?? "")}`;
}
