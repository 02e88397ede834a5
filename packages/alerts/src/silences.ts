import path from "node:path";
import { type Config, ensureFolder, publishJson, readJson, takeFileLock, TrivaultError } from "@trivault/core";
import { z } from "zod";
import { alertsFolder } from "./desk-state.ts";
import type { Silence } from "./types.ts";

/**
 * `silences.json` beside the state: whoever may silence alerts writes it (API, command line), under a lock. The evaluator
 * reads it at each look.
 */
const time = z.iso.datetime();
const silencesSchema = z.object({
  version: z.literal(1),
  silences: z.array(z.object({ alert: z.string(), reason: z.string(), by: z.string(), at: time, until: time })),
});

const PATIENCE_MS = 5000;

type Place = Pick<Config, "backupDir">;

/** Those that have not ended. A broken file silences nothing. */
export async function readSilences(config: Place, now: Date): Promise<Silence[]> {
  const file = await readJson(fileOf(config), silencesSchema).catch(() => null);
  return (file?.silences ?? []).filter(({ until }) => Date.parse(until) > now.getTime());
}

/** One silence for each alert; null ends it. */
export async function changeSilence(
  config: Place,
  alert: string,
  silence: Silence | null,
  now: Date,
): Promise<{ was: Silence | null }> {
  await ensureFolder(alertsFolder(config));
  const lock = await takeFileLock(path.join(alertsFolder(config), "silences.lock"), PATIENCE_MS);
  if (lock === null) {
    throw new TrivaultError("STORE_FAILED", "Somebody else changes the silences all the time. Try again in a moment.");
  }
  try {
    const before = await readSilences(config, now);
    const others = before.filter((each) => each.alert !== alert);
    const silences = silence === null ? others : [...others, silence];
    await publishJson(fileOf(config), { version: 1, silences });
    return { was: before.find((each) => each.alert === alert) ?? null };
  } finally {
    lock.release();
  }
}

function fileOf(config: Place): string {
  return path.join(alertsFolder(config), "silences.json");
}
