import type { Recorder } from "@trivault/audit";
import { type Config, TrivaultError } from "@trivault/core";
import { changeSilence } from "./silences.ts";
import type { Alert, Silence } from "./types.ts";

export interface SilenceRequest {
  /** The id of an alert that fires now. */
  readonly alert: string;
  readonly reason: string;
  readonly until: Date;
  readonly actor: string;
}

/** For the desk, and for the command line on a machine where none runs. */
export async function silenceAlert(
  config: Pick<Config, "backupDir">,
  record: Recorder,
  current: readonly Alert[],
  { alert, reason, until, actor }: SilenceRequest,
  now: Date,
): Promise<Silence> {
  const found = current.find(({ id }) => id === alert);
  if (!found) {
    const there = current.length === 0 ? "there is none now" : `there is ${current.map(({ id }) => id).join(", ")}`;
    throw new TrivaultError("NOT_FOUND", `No alert ${alert} fires: ${there}.`, { permanent: true });
  }
  if (until <= now) {
    throw new TrivaultError("INPUT_INVALID", "A silence must end in the future, such as in 8h.", { permanent: true });
  }
  const silence = { alert, reason, by: actor, at: now.toISOString(), until: until.toISOString() };
  await changeSilence(config, alert, silence, now);
  const details = { alert, rule: found.rule, title: found.title, reason, until: silence.until };
  await record({ action: "alert.silenced", outcome: "ok", actor, details });
  return silence;
}

export async function unsilenceAlert(
  config: Pick<Config, "backupDir">,
  record: Recorder,
  alert: string,
  actor: string,
  now: Date,
): Promise<boolean> {
  const { was } = await changeSilence(config, alert, null, now);
  if (was === null) return false;
  await record({ action: "alert.unsilenced", outcome: "ok", actor, details: { alert, reason: was.reason } });
  return true;
}
