import { listAlerts, silenceAlert, unsilenceAlert } from "@trivault/alerts";
import { TrivaultError } from "@trivault/core";
import { actor } from "../../actor.ts";
import { readEnvironment } from "../../environment.ts";
import { EXIT } from "../../exit-codes.ts";
import { formatTime, print, printJson } from "../../output.ts";
import type { Running } from "../../perform.ts";
import { withOwnRecord } from "../../record.ts";

export interface SilenceOptions {
  /** Seconds. */
  readonly for: number;
  readonly reason: string;
  readonly json?: boolean;
}

export async function alertsSilence(id: string, options: SilenceOptions, { json, signal }: Running): Promise<number> {
  const environment = readEnvironment("read");
  const { config } = environment;
  const now = new Date();
  const until = new Date(now.getTime() + options.for * 1000);
  const current = await listAlerts(config, "en", now);
  const silence = await withOwnRecord(environment, signal, (record) =>
    silenceAlert(config, record, current, { alert: id, reason: options.reason, until, actor: actor() }, now),
  );
  if (json) printJson(silence);
  else print(`${id} is silent until ${formatTime(until)}.`);
  return EXIT.ok;
}

export async function alertsUnsilence(id: string, { json, signal }: Running): Promise<number> {
  const environment = readEnvironment("read");
  const { config } = environment;
  const was = await withOwnRecord(environment, signal, (record) =>
    unsilenceAlert(config, record, id, actor(), new Date()),
  );
  if (!was)
    throw new TrivaultError("NOT_FOUND", `${id} is not silenced; \`list\` shows which are.`, { permanent: true });
  if (json) printJson({ alert: id, silence: null });
  else print(`${id} is heard of again.`);
  return EXIT.ok;
}
