import { existsSync } from "node:fs";
import { appendFile, stat } from "node:fs/promises";
import path from "node:path";
import {
  codeOf,
  type Config,
  DAY_MS,
  directoryOf,
  ensureFolder,
  HOUR_MS,
  publishText,
  readOrNull,
  takeFileLock,
} from "@trivault/core";
import { z } from "zod";
import type { TierSample } from "./views.ts";

/**
 * How each tier was from hour to hour: `BACKUP_DIR/.trivault/monitor/<tier>.jsonl`, a line of JSON for each sample, oldest
 * first. After 14 days one of each day stays, for 13 months. Whoever has the lock (`lock.db`) writes; every process of the
 * site that observes tries to, so it is the first that finds an hour to be over. A line that is broken is passed over.
 */
export interface TierSamples {
  /** Oldest first. */
  read(): Promise<readonly TierSample[]>;
  /** Keeps a sample where an hour has passed since the last one; false where it is not yet time, or another is at it. */
  keep(sample: TierSample): Promise<boolean>;
}

const HOURLY_MS = 14 * DAY_MS;
const KEPT_MS = 396 * DAY_MS;
/** What is recorded as late or early by this much is on time. */
const SLACK_MS = 60_000;
/** Lines beyond those that shall stay, before the file is written anew. */
const MOST_IDLE = 48;

const size = z.number().nonnegative();
const sampleSchema = z.object({
  at: z.iso.datetime(),
  bytes: size,
  copies: size,
  free: size.nullable(),
  total: size.nullable(),
  latencySeconds: size.nullable(),
});

export function openSamples(config: Pick<Config, "backupDir">, tier: string): TierSamples {
  const folder = path.join(config.backupDir, ".trivault/monitor");
  const file = path.join(folder, `${directoryOf(tier)}.jsonl`);
  let known: { readonly identity: string; readonly samples: readonly TierSample[] } = { identity: "", samples: [] };
  const read = async () => {
    const identity = await identityOf(file);
    if (identity !== known.identity) known = { identity, samples: parse((await readOrNull(file)) ?? "") };
    return known.samples;
  };
  const isDue = async (at: string) => {
    const last = (await read()).at(-1)?.at;
    // After a clock was put back, samples of the future do not stop those of now.
    return last === undefined || Math.abs(Date.parse(at) - Date.parse(last)) >= HOUR_MS - SLACK_MS;
  };
  return {
    read,
    async keep(sample) {
      // Not on a machine that only looks: there this would be the site's first trace.
      if (!existsSync(path.dirname(folder)) || !(await isDue(sample.at))) return false;
      await ensureFolder(folder);
      const lock = await takeFileLock(path.join(folder, "lock.db"), 0);
      if (lock === null) return false;
      try {
        if (!(await isDue(sample.at))) return false;
        const all = [...(await read()), sample].toSorted((a, b) => (a.at < b.at ? -1 : 1));
        const stay = thinned(all, new Date(sample.at));
        if (all.length - stay.length > MOST_IDLE || all.at(-1) !== sample)
          await publishText(file, stay.map((each) => `${JSON.stringify(each)}\n`).join(""));
        else await append(file, sample);
        return true;
      } finally {
        lock.release();
      }
    },
  };
}

/** All of the last 14 days, the last of each day before, nothing older than 13 months. */
export function thinned(samples: readonly TierSample[], now: Date): TierSample[] {
  const time = now.getTime();
  const recent = new Date(time - HOURLY_MS).toISOString();
  const oldest = new Date(time - KEPT_MS).toISOString();
  return samples.filter(
    ({ at }, index) => at >= recent || (at >= oldest && at.slice(0, 10) !== samples[index + 1]?.at.slice(0, 10)),
  );
}

function parse(text: string): TierSample[] {
  const samples = text.split("\n").map((line): TierSample | null => {
    try {
      return sampleSchema.parse(JSON.parse(line));
    } catch {
      return null;
    }
  });
  return samples.filter((sample) => sample !== null).toSorted((a, b) => (a.at < b.at ? -1 : 1));
}

/** The line break goes first where a crash has cut the last line off. */
async function append(file: string, sample: TierSample): Promise<void> {
  const text = (await readOrNull(file)) ?? "";
  const before = text === "" || text.endsWith("\n") ? "" : "\n";
  await appendFile(file, `${before}${JSON.stringify(sample)}\n`, { mode: 0o600 });
}

async function identityOf(file: string): Promise<string> {
  try {
    const { ino, size: bytes, mtimeMs } = await stat(file);
    return `${ino} ${bytes} ${mtimeMs}`;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return "";
    throw error;
  }
}
