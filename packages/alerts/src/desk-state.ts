import path from "node:path";
import type { Anchor } from "@trivault/audit";
import { ALERT_RULES, type Config, ensureFolder, LANGUAGES, publishJson, readJson } from "@trivault/core";
import { z } from "zod";
import { incidentSchema } from "./incidents.ts";
import { upgradedData } from "./older-signs.ts";

/**
 * What the evaluator remembers, in `BACKUP_DIR/.trivault/alerts/state.json`. It is written before anything is sent, so that
 * after a crash the same messages go out again, under the same ids. Whoever holds `evaluator.lease` beside it writes it.
 */
const severity = z.enum(["warning", "critical"]);
const time = z.coerce.date();
const said = { title: z.string(), text: z.string(), facts: z.array(z.tuple([z.string(), z.string()])) };

const sign = z
  .object({
    rule: z.enum(ALERT_RULES),
    subject: z.string(),
    member: z.string(),
    severity,
    since: time,
    holdSeconds: z.number(),
    suppressed: z.boolean(),
    data: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  })
  .transform((kept) => ({ ...kept, data: upgradedData(kept.rule, kept.data) }));

const message = z.object({
  id: z.string(),
  severity: z.enum(["warning", "critical", "resolved", "info"]),
  /** A version before knew English alone. */
  language: z.enum(LANGUAGES).default("en"),
  ...said,
  link: z.string().nullable(),
  at: time,
  topic: z.string(),
});

/** In English; in other languages beside it, which a version before neither wrote nor reads. */
const words = z.object({
  ...said,
  link: z.string().nullable(),
  translated: z.partialRecord(z.enum(LANGUAGES), z.object(said)).default({}),
});

export const stateSchema = z.object({
  version: z.literal(1),
  /** The last event of the audit log that was looked at. */
  seen: z.object({ seq: z.int(), at: time }).nullable(),
  /** The newest end of the audit log that was seen: it lies outside the audit log's own folder, and shows if that was made anew. */
  head: z.object({ seq: z.int(), hash: z.string() }).nullable().default(null),
  incidents: z.record(z.string(), incidentSchema),
  signs: z.array(
    z.object({
      sign,
      firstSeen: time,
      /** Since when it is gone; it still counts until its rule says that it has cleared. */
      missingSince: time.nullable(),
    }),
  ),
  alerts: z.array(
    z.object({
      id: z.string(),
      rule: z.enum(ALERT_RULES),
      subject: z.string(),
      severity,
      since: time,
      raisedAt: time,
      members: z.array(z.string()),
      /** What was said last. */
      words,
      /** Null: it was not, as somebody had silenced it. */
      told: z.object({ at: time, times: z.int(), members: z.array(z.string()), severity }).nullable(),
    }),
  ),
  /** The last ones that ended, the newest first. */
  ended: z.array(
    z.object({
      id: z.string(),
      rule: z.enum(ALERT_RULES),
      severity,
      since: time,
      raisedAt: time,
      endedAt: time,
      members: z.array(z.string()),
      words,
    }),
  ),
  /** Messages that are still to be delivered, the oldest first. */
  outbox: z.array(
    z.object({
      channel: z.string(),
      message,
      queuedAt: time,
      nextAt: time,
      attempts: z.int(),
      failed: z.object({ since: time, reason: z.string() }).nullable(),
    }),
  ),
  /** Events for the audit log that are not in it yet. */
  toRecord: z.array(
    z.object({
      action: z.enum(["alert.raised", "alert.resolved", "channel.failed"]),
      outcome: z.enum(["ok", "failed"]),
      /** How long what ended had lasted. */
      seconds: z.number().optional(),
      details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
    }),
  ),
});

export type DeskState = Readonly<z.infer<typeof stateSchema>>;
export type TrackedSign = DeskState["signs"][number];
export type RaisedAlert = DeskState["alerts"][number];
export type SaidWords = RaisedAlert["words"];
export type Delivery = DeskState["outbox"][number];

export const NOTHING: DeskState = {
  version: 1,
  seen: null,
  head: null,
  incidents: {},
  signs: [],
  alerts: [],
  ended: [],
  outbox: [],
  toRecord: [],
};

type Place = Pick<Config, "backupDir">;

export function alertsFolder({ backupDir }: Place): string {
  return path.join(backupDir, ".trivault/alerts");
}

/** Throws where the file is broken; nothing is remembered where there is none. */
export async function readState(config: Place): Promise<DeskState> {
  return (await readJson(stateFile(config), stateSchema)) ?? NOTHING;
}

/** For whoever checks the audit log; none where there is no state, or it cannot be read. */
export async function headSeenByAlerts(config: Place): Promise<readonly Anchor[]> {
  const state = await readState(config).catch(() => NOTHING);
  return state.head === null ? [] : [{ ...state.head, where: "alerts/state.json" }];
}

export async function writeState(config: Place, state: DeskState): Promise<void> {
  await ensureFolder(alertsFolder(config));
  await publishJson(stateFile(config), state);
}

function stateFile(config: Place): string {
  return path.join(alertsFolder(config), "state.json");
}
