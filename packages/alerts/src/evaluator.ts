import type { AuditLog, Recorder } from "@trivault/audit";
import { codeOf, type Config, type Logger, messageOf } from "@trivault/core";
import type { Overview } from "@trivault/monitor";
import type { Channel } from "@trivault/notify";
import { type Checks, startChecks } from "./checks.ts";
import { startDeadMan } from "./dead-man.ts";
import { createDelivery } from "./deliver.ts";
import { type DeskState, NOTHING, readState, writeState } from "./desk-state.ts";
import { type EventFeed, openEventFeed } from "./event-feed.ts";
import { failedRules, findSigns } from "./find-signs.ts";
import { takeEvent } from "./incidents.ts";
import { look, type LookDeps, tokenExpiries, type TokenLife } from "./look.ts";
import { failingChannels, pruned } from "./outbox.ts";
import { pause } from "./pause.ts";
import { pruneIncidents } from "./prune-incidents.ts";
import { saidIn } from "./all-languages.ts";
import { readSilences } from "./silences.ts";
import { silenceOf, step } from "./step.ts";
import { TEXTS } from "./texts/all.ts";
import type { FrameTexts } from "./texts/texts.ts";
import type { Observation, Silence } from "./types.ts";

/** A look at the site that is older says nothing of how it is. */
const STALE_MS = 300_000;
const LONG_SILENCE_MS = 90_000;

export interface EvaluatorDeps extends LookDeps {
  readonly config: Config;
  readonly audit: Pick<AuditLog, "query" | "follow" | "verify" | "check" | "head">;
  readonly record: Recorder;
  readonly tokens: () => Promise<readonly TokenLife[]>;
  readonly channels: readonly Channel[];
  readonly now: () => Date;
  readonly log: Logger;
  readonly everyMs: number;
  /** Called with each new state. */
  readonly onState: (state: DeskState) => void;
  /** Gets what makes it look at once. */
  readonly onWake: (wake: () => void) => void;
}

/** Looks, decides, sends, until the signal ends it. Only one runs at a time for a site (desk.ts). */
export async function evaluate(deps: EvaluatorDeps, signal: AbortSignal): Promise<void> {
  const { config, now, log, everyMs, channels } = deps;
  const { alerts } = config.monitoring;
  const { notWell } = TEXTS[alerts.language];
  let woken = Promise.withResolvers<void>();
  const wake = () => woken.resolve();
  deps.onWake(wake);

  let state = await loadState(deps);
  const change = (next: DeskState) => {
    state = next;
    deps.onState(next);
  };
  change(state);
  const save = createSaver(deps, () => state, signal);
  const feed = await openEventFeed(deps, state.seen, signal, wake);
  const checks = startChecks(deps, signal, wake);
  const delivery = createDelivery({ channels, now, log, signal, state: () => state, change, done: wake });

  let overview: Overview | null = null;
  let silences: readonly Silence[] = [];
  let lastLook = { at: performance.now(), problem: notWell.neverLooked as string | null };

  const tick = async () => {
    if (await deps.audit.check()) checks.checkRecord();
    change({ ...state, head: newest(state.head, deps.audit.head()) });
    const seen = await look(deps, overview);
    ({ overview } = seen);
    const tokens = await deps.tokens().catch(() => []);
    silences = await readSilences(config, now());
    change(takeEvents(state, feed, checks));
    if (overview !== null) {
      const certificates = checks.certificates();
      const observed = {
        ...seen,
        now: now(),
        config,
        expiries: certificates && [...certificates, ...tokenExpiries(tokens)],
        record: checks.record(),
        failingChannels: failingChannels(state.outbox),
      };
      const incidents = pruneIncidents(state.incidents, observed);
      const observation: Observation = { ...observed, incidents };
      const signs = findSigns(observation);
      logFailures(failedRules(signs));
      change(step({ ...state, incidents }, observation, signs, { alerts, silences }));
    }
    change({ ...state, outbox: pruned(state.outbox, channels, now()) });
    lastLook = { at: performance.now(), problem: staleness(overview, seen.problem, notWell, now()) };
    // Before anything is sent; but a disk that is full or gone is the last reason to be silent.
    const unsaved = await save().then(
      () => null,
      (error: unknown) => ({ error }),
    );
    delivery.start();
    const { toRecord } = state;
    for (const event of toRecord) await deps.record({ ...event, actor: "maintenance" });
    change({ ...state, toRecord: state.toRecord.filter((event) => !toRecord.includes(event)) });
    if (unsaved !== null) throw unsaved.error;
    await save();
  };

  let knownFailures: ReadonlyMap<string, string> = new Map();
  const logFailures = (failures: ReadonlyMap<string, string>) => {
    for (const [rule, reason] of failures) {
      if (knownFailures.get(rule) !== reason) log.error({ rule, reason }, "an alert rule failed; the others go on");
    }
    knownFailures = failures;
  };

  const siteProblem = (): string | null => {
    const silent = performance.now() - lastLook.at;
    if (silent > Math.max(LONG_SILENCE_MS, 4 * everyMs)) return notWell.silent(silent / 1000);
    if (lastLook.problem !== null) return lastLook.problem;
    const critical = state.alerts.filter(
      ({ id, severity }) => severity === "critical" && silenceOf(silences, id, now()) === null,
    );
    return critical.length === 0 ? null : critical.map(({ words }) => saidIn(words, alerts.language).title).join("; ");
  };

  let deadMan: { close(): Promise<void> } | null = null;
  let lastProblem: string | null = null;
  while (!signal.aborted) {
    woken = Promise.withResolvers<void>();
    try {
      await tick();
      lastProblem = null;
    } catch (error) {
      const reason = messageOf(error);
      if (reason !== lastProblem && !signal.aborted) log.error({ err: error }, "the alerts could not be evaluated");
      lastProblem = reason;
      lastLook = { ...lastLook, problem: notWell.failed(reason) };
    }
    if (!signal.aborted) deadMan ??= alerts.deadMan && startDeadMan(alerts.deadMan, { problem: siteProblem, log });
    await Promise.race([woken.promise, pause(everyMs, signal)]);
  }
  await deadMan?.close();
  await Promise.all([feed.ended, checks.ended, delivery.close()]);
  await save().catch((error: unknown) => log.warn({ reason: messageOf(error) }, "the alerts' state was not saved"));
}

async function loadState({ config, log }: EvaluatorDeps): Promise<DeskState> {
  try {
    return await readState(config);
  } catch (error) {
    log.error(
      { reason: messageOf(error) },
      "the alerts' state is broken and is begun anew: what goes on may be sent again, and what has ended since is not sent",
    );
    return NOTHING;
  }
}

/** One write at a time, and none where nothing changed. */
function createSaver({ config }: EvaluatorDeps, state: () => DeskState, signal: AbortSignal): () => Promise<void> {
  let saved = JSON.stringify(state());
  let saving: Promise<void> = Promise.resolve();
  const saveNow = async () => {
    const current = state();
    const text = JSON.stringify(current);
    // Where another took over, the state is its own.
    if (text === saved || codeOf(signal.reason) === "ABANDONED") return;
    await writeState(config, current);
    saved = text;
  };
  return () => {
    saving = saving.catch(() => undefined).then(saveNow);
    return saving;
  };
}

function takeEvents(state: DeskState, feed: EventFeed, checks: Checks): DeskState {
  let { seen, incidents } = state;
  for (const event of feed.take()) {
    seen = { seq: event.seq, at: event.at };
    incidents = takeEvent(incidents, event);
    if (event.action === "audit.broken") checks.checkRecord();
  }
  return { ...state, seen, incidents };
}

function newest(before: DeskState["head"], now: DeskState["head"]): DeskState["head"] {
  return now === null || (before !== null && before.seq >= now.seq) ? before : now;
}

/** Null where the site was looked at lately. */
function staleness(
  overview: Overview | null,
  problem: string | null,
  notWell: FrameTexts["notWell"],
  now: Date,
): string | null {
  if (overview === null) return problem ?? notWell.neverLooked;
  const at = new Date(overview.at);
  return now.getTime() - at.getTime() > STALE_MS ? notWell.stale(at, problem) : null;
}
