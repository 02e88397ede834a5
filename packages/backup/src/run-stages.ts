import { background, type Logger, messageOf } from "@trivault/core";
import { removePartial } from "./copies.ts";
import { giveUp } from "./give-up.ts";
import { abandoned, removeRun, runDirectory } from "./run-directory.ts";
import type { BackupRef, NextStage, Progress, Site, StageContext } from "./site.ts";
import { type CopyResult, copyStage } from "./stages/copy.ts";
import { encryptStage } from "./stages/encrypt.ts";
import { findTier } from "./tiers.ts";

/** A stage of one backup. What fills the spool is given by whoever begins the run: a dump, or a file that is adopted. */
export type RunStage =
  | ({ readonly stage: "dump"; readonly work: (context: StageContext) => Promise<StageResult> } & BackupRef)
  | NextStage;

export type StageName = "dump" | "encrypt" | `copy:${string}`;

/** What the results of all stages have in common. */
export interface StageResult {
  readonly bytes: number;
  readonly seconds: number;
  readonly rows?: number | null;
  readonly repaired?: CopyResult["repaired"];
}

export type StageEnd = { readonly stage: RunStage } & (
  | { readonly ok: true; readonly result: StageResult }
  | { readonly ok: false; readonly error: unknown }
);

/** What differs between the ways to carry a run: as jobs, in this process, of a file, or by maintenance. */
export interface RunManner {
  readonly signal: AbortSignal;
  readonly log: Logger;
  readonly note: (stage: RunStage, line: string) => void;
  readonly progress: (stage: RunStage, progress: Progress) => void;
  /** Where a stage that another one asks for is carried out: here beside it, here after it, or not here. */
  readonly next: (next: NextStage) => Place | Promise<Place>;
  /** Goes around each stage, to record its end for instance. */
  readonly around?: (stage: RunStage, work: () => Promise<StageResult>) => Promise<StageResult>;
  /** Nobody tries again what fails here: unless the backup is dumped and sealed whole, nothing of it stays. */
  readonly lastTry: boolean;
}

type Place = "beside" | "after" | "elsewhere";

/**
 * Carries runs through their stages; every way to make a backup goes through here. Each stage is carried out once, and a
 * stage that fails stops no other, but for a seal that nobody tries again: it ends its dump and its copies. Resolves when
 * all have ended, with their ends in that order; where `signal` aborts, what waits for its turn is left out.
 */
export async function runStages(site: Site, first: readonly RunStage[], manner: RunManner): Promise<StageEnd[]> {
  const ends: StageEnd[] = [];
  const running = new Map<string, Promise<void>>();
  const waiting = [...first];
  const givenUp = new AbortController();
  const signal = AbortSignal.any([manner.signal, givenUp.signal]);

  const begin = (stage: RunStage) => {
    const key = `${stageName(stage)} ${stage.backupId}`;
    if (running.has(key)) return;
    const { database, backupId } = stage;
    const context: StageContext = {
      signal,
      log: manner.log.child({ stage: stageName(stage), database, backupId }),
      note: (line) => manner.note(stage, line),
      progress: (progress) => manner.progress(stage, progress),
      start: async (next) => {
        const place = await manner.next(next);
        if (place === "beside") begin(next);
        if (place === "after") waiting.push(next);
      },
    };
    const work = () => carryOut(site, stage, context);
    const ended = (manner.around ? manner.around(stage, work) : work()).then(
      (result) => void ends.push({ stage, ok: true, result }),
      async (error: unknown) => {
        ends.push({ stage, ok: false, error });
        if (stage.stage !== "encrypt" || !manner.lastTry) return;
        givenUp.abort(abandoned(messageOf(error)));
        await giveUp(site, stage, messageOf(error)).catch((cause: unknown) => notTidied(stage, cause));
      },
    );
    running.set(key, background(ended));
  };
  const notTidied = (stage: RunStage, error: unknown) =>
    manner.note(stage, `what is left could not be removed: ${messageOf(error)}`);

  for (let stage = waiting.shift(); stage; stage = waiting.shift()) {
    if (running.size > 0 && manner.signal.aborted) break;
    begin(stage);
    for (let count = -1; count !== running.size;) {
      count = running.size;
      await Promise.all(running.values());
    }
  }
  if (manner.lastTry) {
    for (const stage of first) if (!isSealed(ends, stage)) await removeLeftovers(site, stage, ends, notTidied);
  }
  return ends;
}

/** `copy:cloud` for a copy; the others as they are called. */
export function stageName(stage: RunStage): StageName {
  return stage.stage === "copy" ? `copy:${stage.to}` : stage.stage;
}

function carryOut(site: Site, stage: RunStage, context: StageContext): Promise<StageResult> {
  if (stage.stage === "dump") return stage.work(context);
  const { database, backupId } = stage;
  if (stage.stage === "encrypt") return encryptStage(site, { database, backupId }, context);
  return copyStage(site, { database, backupId, from: stage.from, to: stage.to }, context);
}

function isSealed(ends: readonly StageEnd[], { backupId }: BackupRef): boolean {
  const done = ends.filter(({ ok, stage }) => ok && stage.backupId === backupId).map(({ stage }) => stage.stage);
  return done.includes("dump") && done.includes("encrypt");
}

async function removeLeftovers(
  site: Site,
  stage: RunStage,
  ends: readonly StageEnd[],
  notTidied: (stage: RunStage, error: unknown) => void,
): Promise<void> {
  const copies = ends.flatMap((end) =>
    end.stage.stage === "copy" && end.stage.backupId === stage.backupId ? [end.stage.to] : [],
  );
  const { database, backupId } = stage;
  for (const tier of [site.tiers[0], ...copies.map((name) => findTier(site.tiers, name))]) {
    await removePartial(tier, { database, backupId }).catch((error: unknown) => notTidied(stage, error));
  }
  await removeRun(runDirectory(site.config, backupId)).catch((error: unknown) => notTidied(stage, error));
}
