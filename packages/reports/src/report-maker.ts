import { Worker } from "node:worker_threads";
import { background, type Config, type Language, messageOf, TrivaultError, unlessAborted } from "@trivault/core";
import type { Observer } from "@trivault/monitor";
import { checkRequest, type ReportRequest } from "./gather.ts";
import type { OpenAlert } from "./input.ts";
import type { RenderedReport } from "./render.ts";
import type { ReportJob, ReportReply } from "./report-thread.ts";

export interface ReportMaker {
  /** One at a time; others wait. Throws the signal's reason as soon as it aborts, waiting or not. */
  make(request: ReportRequest, signal: AbortSignal): Promise<RenderedReport>;
}

export interface MakerDeps {
  readonly config: Config;
  readonly observer: Pick<Observer, "overview">;
  readonly now: () => Date;
  /** In the language of the report. */
  readonly openAlerts?: (language: Language) => Promise<readonly OpenAlert[]>;
}

/** Makes reports in a thread of their own, for services. */
export function createReportMaker({ config, observer, now, openAlerts }: MakerDeps): ReportMaker {
  let last: Promise<unknown> = Promise.resolve();
  const makeNow = async (request: ReportRequest, signal: AbortSignal): Promise<RenderedReport> => {
    signal.throwIfAborted();
    const asked = Promise.all([observer.overview(), openAlerts?.(request.language) ?? []]);
    const [overview, alerts] = await unlessAborted(signal, asked);
    checkRequest(overview, request);
    return inThread({ config, overview, alerts, now: now(), request }, signal);
  };
  return {
    make(request, signal) {
      const turn = last;
      const made = background(unlessAborted(signal, turn).then(() => makeNow(request, signal)));
      // One that is given up before its turn lets nobody pass the one that is being made.
      last = Promise.allSettled([turn, made]);
      return made;
    },
  };
}

async function inThread(job: ReportJob, signal: AbortSignal): Promise<RenderedReport> {
  const thread = new Worker(new URL("./report-thread.ts", import.meta.url), {
    name: "report",
    workerData: job,
    execArgv: [], // the process may have been started with options that a thread refuses
    // Lines of the audit log are garbage as soon as they are read; by default V8 lets a hundred MiB of it gather.
    resourceLimits: { maxYoungGenerationSizeMb: 16 },
  });
  const end = () => void thread.terminate();
  signal.addEventListener("abort", end, { once: true });
  try {
    const reply = await new Promise<ReportReply>((resolve, reject) => {
      thread.once("message", resolve);
      thread.once("error", (cause) => reject(died(messageOf(cause), cause)));
      thread.once("exit", (code) => reject(signal.aborted ? signal.reason : died(`exit code ${code}`)));
    });
    if ("made" in reply) return reply.made;
    const { code, message, permanent } = reply.error;
    throw code === null ? new Error(message) : new TrivaultError(code, message, { permanent });
  } finally {
    signal.removeEventListener("abort", end);
    await thread.terminate();
  }
}

function died(why: string, cause?: unknown): Error {
  return new Error(
    `The thread that makes reports died (${why}). The audit log is as it was; ask again, and if it happens again, look for a lack of memory on this machine.`,
    { cause },
  );
}
