import { stat, unlink } from "node:fs/promises";
import path from "node:path";
import { background, segmentName } from "@trivault/core";
import { journalReader } from "../journal.ts";
import { watchLease } from "../lease.ts";
import { followRun, LOOKS_PER_CHECK } from "../poll.ts";
import { type Dumped, markAborted, readDumped, type RunDirectory, throwIfAborted } from "../run-directory.ts";
import type { Site } from "../site.ts";
import { partPath, readSpool } from "../spool.ts";
import { lostFromSpool, publishSegment, type Sealed, type Sealing } from "./publish-segment.ts";

/** Seals and publishes every part as the dump completes it, and what the dump wrote beside them. */
export async function sealParts(
  work: Sealing,
  encrypted: boolean,
): Promise<{ readonly segments: Sealed; readonly dumped: Dumped }> {
  const done = (await journalReader(work.run.journal).read()) ?? [];
  const segments: Sealed = new Map(done.map((segment) => [segment.name, segment]));
  const dumped = await sealData(work, encrypted, segments);
  for (const name of dumped.extras) {
    const segment = segmentName(name === "globals.zst" ? "globals" : "details", null, encrypted);
    if (segments.has(segment)) continue;
    const part = { file: path.join(work.run.spool, name), name: segment };
    await publishSegment(work, part, segments, { before: Promise.resolve(), onSealed: () => undefined });
  }
  return { segments, dumped };
}

async function sealData(outer: Sealing, encrypted: boolean, segments: Sealed): Promise<Dumped> {
  const failed = new AbortController();
  const work = { ...outer, signal: AbortSignal.any([outer.signal, failed.signal]) };
  const parts = readyParts(work, segments);
  let publishing: Promise<void> = Promise.resolve();
  try {
    for (;;) {
      const next = await parts.next();
      if (next.done) {
        await publishing;
        return next.value;
      }
      const part = {
        file: partPath(work.run, next.value),
        name: segmentName("data", next.value + 1, encrypted),
      };
      const sealed = Promise.withResolvers<void>();
      const turn = { before: publishing, onSealed: sealed.resolve };
      // Brought to the disk and published while the next part is awaited and sealed; a failure ends that at once.
      publishing = background(publishSegment(work, part, segments, turn).finally(sealed.resolve), (error) =>
        failed.abort(error),
      );
      await sealed.promise;
    }
  } catch (error) {
    throw failed.signal.aborted ? failed.signal.reason : error;
  } finally {
    // Where it failed, the error is on its way already; here it only must not run on behind the stage's back.
    await Promise.allSettled([publishing, parts.return({} as Dumped)]);
  }
}

/** Numbers of complete parts, in order, as the dump completes them; returns what the dump said when it was through. */
async function* readyParts({ site, run, signal }: Sealing, segments: Sealed): AsyncGenerator<number, Dumped> {
  using follower = followRun(run);
  const dumpLease = watchLease(run.dumpLease);
  const takeoverMs = site.config.worker.takeoverSeconds * 1000;
  let next = [...segments.keys()].filter((name) => name.startsWith("data-")).length;
  for (const left of (await readSpool(run)).parts) {
    if (left < next) await unlink(partPath(run, left)); // journaled by a worker that was killed before it tidied up
  }
  for (let look = 0; ; look++) {
    const dumped = await readDumped(run); // before the spool is read: once it is there, so are all parts
    const { parts } = await readSpool(run);
    const last = parts.at(-1) ?? -1;
    const complete = dumped === null ? last : dumped.parts;
    for (; next < complete; next++) {
      await checkPart(site, run, next, dumped);
      yield next;
    }
    if (dumped !== null) return dumped;
    if (look % LOOKS_PER_CHECK === 0) {
      await throwIfAborted(run);
      if ((await dumpLease.silentMs()) > takeoverMs) {
        await markAborted(run, "the worker that dumped it died or was cut off");
        await throwIfAborted(run);
      }
    }
    await follower.pause(signal);
  }
}

/** `split` writes every part but the last to exactly the segment size; anything else is not what the dump wrote. */
async function checkPart(site: Site, run: RunDirectory, number: number, dumped: Dumped | null): Promise<void> {
  const file = partPath(run, number);
  const { size } = await stat(file).catch((cause: unknown) => {
    throw lostFromSpool(file, cause);
  });
  const expected = dumped !== null && number === dumped.parts - 1 ? dumped.lastPartSize : site.config.segmentSize;
  if (size === expected) return;
  await markAborted(run, `part ${number} of the spool is damaged`);
  await throwIfAborted(run);
}
