import { constants } from "node:fs";
import { open, unlink } from "node:fs/promises";
import path from "node:path";
import { background, codeOf, TrivaultError } from "@trivault/core";
import { type Dumped, markDumped, throwIfAborted } from "../run-directory.ts";
import { type RunStage, runStages, type StageResult } from "../run-stages.ts";
import type { BackupRef, Site, StageContext } from "../site.ts";
import { checkSpool, inRun } from "../stages/dump.ts";
import { siteTrust } from "../trust.ts";
import { verifyCopy } from "../verify.ts";
import { VERSION } from "../version.ts";
import { claim } from "./claims.ts";
import type { Adoptable } from "./plan.ts";
import { decompressed } from "./recognise.ts";
import { spoolBytes } from "./spool-file.ts";
import { hashFile, isStill, wholeScript } from "./whole-file.ts";

export interface Adoption extends BackupRef {
  readonly file: string;
  /** False where it was a backup already. */
  readonly made: boolean;
  readonly removed: boolean;
  /** The size of the backup on the local tier. */
  readonly bytes: number;
}

export type AdoptContext = Pick<StageContext, "signal" | "log" | "note" | "progress">;

/**
 * Makes a backup of a plaintext dump: sealed by the same stage as any other, verified where it lies, and only then the
 * plaintext is deleted. May be killed anywhere and run again: the file becomes one backup.
 */
export async function adoptFile(
  site: Site,
  dump: Adoptable,
  options: { readonly keep: boolean },
  context: AdoptContext,
): Promise<Adoption> {
  const { is, ref } = await claim(site, dump, context.signal);
  if (is === "busy") {
    throw new TrivaultError("EXISTS", `Another process is adopting ${dump.file} at this moment.`);
  }
  if (is === "claimed") await sealFile(site, dump, ref, context);
  const { good, bytes, damage, unread } = await verifyCopy(site.tiers[0], ref, await siteTrust(site), {
    signal: context.signal,
    allowUnsigned: false,
  });
  if (!good && damage.length === 0) {
    throw new TrivaultError(
      "STORE_FAILED",
      `Backup ${ref.backupId} of ${ref.database}, which ${dump.file} was made into, could not be read back whole (${unread[0]?.file} ${unread[0]?.problem}). The plaintext is left where it is: run this again.`,
    );
  }
  if (!good) {
    const what = damage.map(({ file, problem }) => `${file} ${problem}`).join("; ");
    throw new TrivaultError(
      "CORRUPT",
      `Backup ${ref.backupId} of ${ref.database}, which ${dump.file} was made into, is damaged on the local tier (${what}). The plaintext is left where it is: look at the disk, then delete that backup's folder and run this again.`,
      { permanent: true },
    );
  }
  if (!options.keep) await removePlaintext(path.join(site.config.backupDir, dump.file), dump);
  return { ...ref, file: dump.file, made: is === "claimed", removed: !options.keep, bytes };
}

/** A dump and its encryption; other tiers get their copies from maintenance. */
async function sealFile(site: Site, dump: Adoptable, ref: BackupRef, context: AdoptContext): Promise<void> {
  await checkSpool(site);
  const spool: RunStage = { stage: "dump", ...ref, work: (stage) => spoolFile(site, dump, ref, stage) };
  const ends = await runStages(site, [spool], {
    signal: context.signal,
    log: context.log,
    note: (_stage, line) => context.note(line),
    progress: ({ stage }, progress) => (stage === "dump" ? context.progress(progress) : undefined),
    next: ({ stage }) => (stage === "encrypt" ? "beside" : "elsewhere"),
    lastTry: true,
  });
  const failures = ends.flatMap((end) => (end.ok ? [] : [end.error]));
  if (failures.length === 0) return;
  context.signal.throwIfAborted();
  // The one stage only says that the other gave up, or was stopped by it.
  throw failures.find((error) => !["ABANDONED", "ABORT_ERR"].includes(codeOf(error) ?? "")) ?? failures[0];
}

/** What dumpStage is for a database. */
function spoolFile(site: Site, dump: Adoptable, ref: BackupRef, context: StageContext): Promise<StageResult> {
  const begun = performance.now();
  return inRun(site, ref, context, async (run, outer) => {
    const ended = new AbortController();
    const signal = AbortSignal.any([outer, ended.signal]);
    const file = path.join(site.config.backupDir, dump.file);
    let bytes = 0;
    const hashing = background(
      hashFile(file, signal, (read) =>
        context.progress({ bytes: (bytes += read), totalBytes: dump.size, segments: 0 }),
      ),
    );
    try {
      const content = decompressed(file, dump.compression);
      const parts = await spoolBytes(run, dump.format === "plain" ? wholeScript(content) : content, {
        segmentSize: site.config.segmentSize,
        signal,
        onBytes: () => undefined,
      });
      if ((await hashing) !== dump.sha256 || !(await isStill(file, dump.identity))) throw changed(dump);
      await throwIfAborted(run);
      await markDumped(run, dumpedOf(dump, parts));
      return { bytes: dump.size, seconds: (performance.now() - begun) / 1000 };
    } finally {
      ended.abort(new TrivaultError("CANCELLED", "The adoption was stopped.")); // what may still be reading the file
    }
  });
}

function dumpedOf(dump: Adoptable, parts: { parts: number; lastPartSize: number }): Dumped {
  const { format, compression, pgDump, server, time } = dump;
  const tools = {
    trivault: VERSION,
    pg_dump: pgDump,
    zstd: process.versions["zstd"] ?? "unknown",
    "adopted-from": compression === null ? format : `${format}, ${compression}`,
  };
  const content = format === "plain" ? ({ content: "sql" } as const) : {};
  return { ...parts, startedAt: time.toISOString(), tools, server, extras: [], ...content };
}

/** The last look before the only step that cannot be undone. */
async function removePlaintext(file: string, dump: Adoptable): Promise<void> {
  if (!(await isStill(file, dump.identity))) throw changed(dump);
  await unlink(file);
  await using folder = await open(path.dirname(file), constants.O_RDONLY | constants.O_DIRECTORY);
  await folder.sync();
}

function changed(dump: Adoptable): TrivaultError {
  return new TrivaultError(
    "CORRUPT",
    `${dump.file} changed since it was looked at. It was left alone; run this again.`,
  );
}
