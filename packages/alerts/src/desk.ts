import path from "node:path";
import { acquireLease } from "@trivault/backup";
import { background, type Config, ensureFolder, type Language, messageOf } from "@trivault/core";
import { type Channel, openChannels } from "@trivault/notify";
import { alertsFolder, type DeskState, NOTHING, readState } from "./desk-state.ts";
import { evaluate, type EvaluatorDeps } from "./evaluator.ts";
import { alertsOf, endedOf } from "./list-alerts.ts";
import { pause } from "./pause.ts";
import { silenceAlert, type SilenceRequest, unsilenceAlert } from "./silence-alert.ts";
import { readSilences } from "./silences.ts";
import { type ChannelTest, testChannels } from "./test-channels.ts";
import type { Alert, EndedAlert, Silence } from "./types.ts";

/** An evaluator that is silent for so long is dead; another goes on where it was. */
const TAKEOVER_MS = 10_000;
const AGAIN_MS = 5000;
const EVERY_MS = 15_000;

export type AlertDeps = Omit<EvaluatorDeps, "channels" | "everyMs" | "onState" | "onWake"> & {
  /** Between two looks; the audit log is looked at at once. */
  readonly everyMs?: number;
  /** For tests. */
  readonly channels?: readonly Channel[];
};

export interface AlertDesk {
  /** The alerts that fire now, the worst first. Those of another process, where that evaluates; then up to `everyMs` old. */
  current(language: Language): readonly Alert[];
  /** Those that ended lately, the newest first. */
  ended(language: Language): readonly EndedAlert[];
  /** Throws NOT_FOUND where no such alert fires. */
  silence(request: SilenceRequest): Promise<Silence>;
  /** False where it was not silenced. */
  unsilence(alert: string, actor: string): Promise<boolean>;
  /** Sends a real message, through one channel or all. Throws NOT_FOUND where there is no such channel. */
  test(channel?: string): Promise<ChannelTest[]>;
  close(): Promise<void>;
}

/** Watches over a site from now on. One of several processes evaluates; the others take over when it falls silent. */
export function startAlerts(deps: AlertDeps): AlertDesk {
  const { config, log, now } = deps;
  const closing = new AbortController();
  const everyMs = deps.everyMs ?? EVERY_MS;
  const channels = deps.channels ?? openChannels(config.monitoring, { publicUrl: config.api.publicUrl });
  let state: DeskState = NOTHING;
  let silences: readonly Silence[] = [];
  /** Makes this process's evaluation look at once; null while another process evaluates. */
  let wake: (() => void) | null = null;

  const evaluating = background(
    run({
      ...deps,
      channels,
      everyMs,
      onState: (next) => {
        state = next;
      },
      onWake: (poke) => {
        wake = poke;
      },
    }),
  );

  async function run(evaluator: EvaluatorDeps): Promise<void> {
    const { signal } = closing;
    let lastProblem: string | null = null;
    while (!signal.aborted) {
      try {
        await holdingLease(config, signal, (own) => evaluate(evaluator, own));
        wake = null;
      } catch (error) {
        wake = null;
        if (signal.aborted) return;
        const reason = messageOf(error);
        if (reason !== lastProblem) log.error({ err: error }, "nobody evaluates the alerts here; it is tried again");
        lastProblem = reason;
        await pause(AGAIN_MS, signal);
      }
    }
  }

  /** Silences; and the state, while another process evaluates. */
  async function refresh(): Promise<void> {
    silences = await readSilences(config, now());
    if (wake === null) state = await readState(config).catch(() => state);
  }
  async function keepRefreshing(): Promise<void> {
    while (!closing.signal.aborted) {
      await refresh();
      await pause(everyMs, closing.signal);
    }
  }
  const refreshing = background(keepRefreshing());

  return {
    current: (language) => alertsOf(state, silences, language, now()),
    ended: (language) => endedOf(state, language),
    async silence(request) {
      const silence = await silenceAlert(config, deps.record, alertsOf(state, silences, "en", now()), request, now());
      await refresh();
      wake?.();
      return silence;
    },
    async unsilence(alert, actor) {
      const was = await unsilenceAlert(config, deps.record, alert, actor, now());
      await refresh();
      wake?.();
      return was;
    },
    test: (channel) =>
      testChannels(channels, channel ?? null, config.monitoring.alerts.language, now(), closing.signal),
    async close() {
      closing.abort();
      await Promise.all([evaluating, refreshing]);
      if (deps.channels === undefined) await Promise.all(channels.map((channel) => channel.close()));
    },
  };
}

async function holdingLease(
  config: Config,
  closing: AbortSignal,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  await ensureFolder(alertsFolder(config));
  const lost = new AbortController();
  const lease = await acquireLease(path.join(alertsFolder(config), "evaluator.lease"), {
    takeoverMs: TAKEOVER_MS,
    signal: closing,
    onLost: (error) => lost.abort(error),
  });
  try {
    await work(AbortSignal.any([closing, lost.signal]));
  } finally {
    await lease.release();
  }
}
