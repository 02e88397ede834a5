import { type Config, messageOf, TrivaultError } from "@trivault/core";
import { type DeskState, readState } from "./desk-state.ts";
import { readSilences } from "./silences.ts";
import { silenceOf } from "./step.ts";
import type { Alert, EndedAlert, Silence } from "./types.ts";

/** What is told now, the worst first; by whoever evaluates, wherever that is. */
export async function listAlerts(config: Pick<Config, "backupDir">, now: Date): Promise<Alert[]> {
  try {
    return alertsOf(await readState(config), await readSilences(config, now), now);
  } catch (cause) {
    throw new TrivaultError(
      "CORRUPT",
      `The state of the alerts in BACKUP_DIR/.trivault/alerts cannot be read (${messageOf(cause)}). The API makes it anew by itself; start it with \`npm start\`.`,
      { cause },
    );
  }
}

export function alertsOf({ alerts }: DeskState, silences: readonly Silence[], now: Date): Alert[] {
  return alerts
    .map(({ id, rule, severity, words, members, since, raisedAt, told }): Alert => {
      const silence = silenceOf(silences, id, now);
      return {
        id,
        rule,
        severity,
        ...words,
        members,
        since: since.toISOString(),
        raisedAt: raisedAt.toISOString(),
        toldAt: told?.at.toISOString() ?? null,
        silence: silence && { reason: silence.reason, by: silence.by, at: silence.at, until: silence.until },
      };
    })
    .toSorted((a, b) => a.severity.localeCompare(b.severity) || a.raisedAt.localeCompare(b.raisedAt));
}

/** The newest first. */
export function endedOf({ ended }: DeskState): EndedAlert[] {
  return ended.map(({ words, since, raisedAt, endedAt, ...alert }) => ({
    ...alert,
    ...words,
    since: since.toISOString(),
    raisedAt: raisedAt.toISOString(),
    endedAt: endedAt.toISOString(),
  }));
}
