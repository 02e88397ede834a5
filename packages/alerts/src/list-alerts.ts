import { type Config, type Language, messageOf, TrivaultError } from "@trivault/core";
import { type DeskState, readState } from "./desk-state.ts";
import { saidIn } from "./all-languages.ts";
import { readSilences } from "./silences.ts";
import { silenceOf } from "./step.ts";
import type { Alert, EndedAlert, Silence } from "./types.ts";

/** The alerts that fire now, the worst first; by whoever evaluates, wherever that is. */
export async function listAlerts(config: Pick<Config, "backupDir">, language: Language, now: Date): Promise<Alert[]> {
  try {
    return alertsOf(await readState(config), await readSilences(config, now), language, now);
  } catch (cause) {
    throw new TrivaultError(
      "CORRUPT",
      `The state of the alerts in BACKUP_DIR/.trivault/alerts cannot be read (${messageOf(cause)}). The API makes it anew by itself; start it with \`npm start\`.`,
      { cause },
    );
  }
}

export function alertsOf({ alerts }: DeskState, silences: readonly Silence[], language: Language, now: Date): Alert[] {
  return alerts
    .map(({ id, rule, severity, words, members, since, raisedAt, told }): Alert => {
      const silence = silenceOf(silences, id, now);
      return {
        id,
        rule,
        severity,
        ...saidIn(words, language),
        link: words.link,
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
export function endedOf({ ended }: DeskState, language: Language): EndedAlert[] {
  return ended.map(({ words, since, raisedAt, endedAt, ...alert }) => ({
    ...alert,
    ...saidIn(words, language),
    link: words.link,
    since: since.toISOString(),
    raisedAt: raisedAt.toISOString(),
    endedAt: endedAt.toISOString(),
  }));
}
