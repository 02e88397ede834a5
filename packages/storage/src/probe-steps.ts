import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { codeOf, messageOf, RECOVERY_KEY, TrivaultError, unlessAborted } from "@trivault/core";
import { throwIfAborted } from "./cancellation.ts";
import { temporaryName } from "./tree.ts";

/** What one step of a tier's test found. */
export interface ProbeStep {
  /** `resolve`, `connect`, `host key`, … */
  readonly step: string;
  /** Null where it was not tried, as a step that it needs failed. */
  readonly ok: boolean | null;
  /** What was seen. */
  readonly detail: string;
  /** Where it failed: what to do. */
  readonly advice: string | null;
  readonly seconds: number;
}

/** The test of one kind of tier. */
export interface Probe {
  readonly steps: readonly Step[];
  /** Removes what the steps left, whether or not they failed, and closes what they opened. */
  cleanUp(): Promise<void>;
}

export interface Step {
  readonly name: string;
  /** The step without which this one makes no sense. */
  readonly needs?: string;
  /** Returns what it saw. Throws a ProbeFailure where it is not as it must be. */
  run(signal: AbortSignal): Promise<string>;
}

export class ProbeFailure extends Error {
  readonly advice: string;

  constructor(seen: string, advice: string, cause?: unknown) {
    super(seen, { cause });
    this.advice = advice;
  }
}

const STEP_MS = 15_000;
const CLEAN_UP_MS = 5_000;
/** Enough to fill more than one packet; small enough for any tier. */
const PROBE_BYTES = 64 * 1024;

export async function* runProbe(probe: Probe, signal: AbortSignal, stepMs = STEP_MS): AsyncGenerator<ProbeStep> {
  const passed = new Set<string>();
  try {
    for (const step of probe.steps) {
      throwIfAborted(signal);
      if (step.needs !== undefined && !passed.has(step.needs)) {
        const detail = `not tried: it needs "${step.needs}"`;
        yield { step: step.name, ok: null, detail, advice: null, seconds: 0 };
        continue;
      }
      const outcome = await runStep(step, signal, stepMs);
      throwIfAborted(signal);
      if (outcome.ok) passed.add(step.name);
      yield outcome;
    }
  } finally {
    // A tier that went dead in the middle must not hold up the end; what stays there is swept later.
    await Promise.race([probe.cleanUp().catch(() => {}), sleep(CLEAN_UP_MS, undefined, { ref: false })]);
  }
}

async function runStep(step: Step, signal: AbortSignal, stepMs: number): Promise<ProbeStep> {
  const begun = performance.now();
  const over = (ok: boolean, detail: string, advice: string | null): ProbeStep => {
    return { step: step.name, ok, detail, advice, seconds: (performance.now() - begun) / 1000 };
  };
  const limit = AbortSignal.any([signal, AbortSignal.timeout(stepMs)]);
  try {
    return over(true, await unlessAborted(limit, step.run(limit)), null);
  } catch (error) {
    if (limit.aborted)
      return over(
        false,
        `no answer within ${stepMs / 1000} s`,
        "Look at the network and at the load and the disk there, and try again.",
      );
    if (error instanceof ProbeFailure) return over(false, error.message, error.advice);
    // The stores' own errors are paragraphs that end with what to do.
    if (error instanceof TrivaultError) return over(false, ...halves(error.message));
    return over(false, [codeOf(error), messageOf(error)].filter(Boolean).join(": "), "Look at that machine's log.");
  }
}

/** `what happened. What to do.` */
function halves(message: string): [detail: string, advice: string] {
  const [, first = message, rest = ""] = /^(.+?[.)]) (?=[A-Z])(.+)$/s.exec(message) ?? [];
  return [first.replace(/\.$/, ""), rest];
}

/** A name that looks like what a writer that died left: no listing shows it, and the next sweep removes it. */
export function probeName(): string {
  return temporaryName(RECOVERY_KEY);
}

export function probeBytes(): Buffer {
  return randomBytes(PROBE_BYTES);
}

export function expectSame(read: Uint8Array, written: Uint8Array): void {
  if (Buffer.compare(read, written) === 0) return;
  throw new ProbeFailure(
    `other bytes came back than were written (${read.byteLength} instead of ${written.byteLength})`,
    "Do not use this tier before its disk and memory are checked: what it stores is not what it is given.",
  );
}
