import { type AlertsConfig, messageOf as reasonOf, type Severity, visibleText } from "@trivault/core";
import { alertId } from "./alert-id.ts";
import type { DeskState, RaisedAlert, TrackedSign } from "./desk-state.ts";
import { failedRules, RULES } from "./find-signs.ts";
import { enqueue } from "./outbox.ts";
import { endMessage, messageOf } from "./messages.ts";
import { sayInAll } from "./all-languages.ts";
import type { Observation, Sign, Silence } from "./types.ts";

/** An alert that grows is sent again, but not at each new member. */
const UPDATE_MS = 600_000;
const MOST_ENDED = 50;

export interface StepOptions {
  readonly alerts: Pick<AlertsConfig, "channels" | "language" | "repeatSeconds">;
  readonly silences: readonly Silence[];
}

/**
 * One look's consequences: what is sent, what has ended. Pure, and by the state alone, so that it goes on where it was after
 * a restart: an alert is sent when it is raised, when it grows, when it has lasted for `repeatSeconds`, and when it ends.
 */
export function step(
  before: DeskState,
  observation: Observation,
  signs: readonly Sign[],
  options: StepOptions,
): DeskState {
  const { now } = observation;
  const tracked = track(before.signs, signs, observation);
  const groups = Map.groupBy(
    tracked.filter((each) => isHeld(each, now)).map((each) => each.sign),
    (each) => alertId(each),
  );
  const state = { ...before, signs: tracked, alerts: [] as RaisedAlert[] };
  let { outbox, toRecord } = before;
  const { channels, language } = options.alerts;
  const send = (alert: RaisedAlert, kind: Kind) => {
    outbox = enqueue(outbox, messageOf(alert, kind === "repeated", language, now), alert.severity, channels, now);
  };
  const sendEnd = (alert: RaisedAlert, told: NonNullable<RaisedAlert["told"]>) => {
    const message = endMessage({ ...alert, told }, elsewhere(alert, tracked), language, now);
    outbox = enqueue(outbox, message, told.severity, channels, now);
  };
  const record = (alert: RaisedAlert, action: "alert.raised" | "alert.resolved") => {
    const { id, rule, subject, severity, words } = alert;
    const outcome = action === "alert.raised" ? "failed" : "ok";
    const seconds = (now.getTime() - alert.since.getTime()) / 1000;
    const lasted = action === "alert.resolved" ? { seconds } : {};
    toRecord = [
      ...toRecord,
      { action, outcome, ...lasted, details: { alert: id, rule, subject, severity, title: words.title } },
    ];
  };
  const silenced = (id: string) => silenceOf(options.silences, id, now) !== null;

  for (const alert of before.alerts) {
    const live = groups.get(alert.id);
    if (live === undefined) {
      if (alert.told !== null) sendEnd(alert, alert.told);
      record(alert, "alert.resolved");
      const { told: _told, subject: _subject, ...over } = alert;
      state.ended = [{ ...over, endedAt: now }, ...state.ended].slice(0, MOST_ENDED);
      continue;
    }
    const current = refreshed(alert, live, observation);
    const kind = silenced(alert.id) || live.every(({ suppressed }) => suppressed) ? null : due(current, options, now);
    const next = kind === null ? current : sentNow(current, now);
    if (kind !== null) send(next, kind);
    state.alerts.push(next);
  }
  for (const [id, live] of groups) {
    if (before.alerts.some((alert) => alert.id === id) || live.every(({ suppressed }) => suppressed)) continue;
    const raised = raise(id, live, observation);
    const next = silenced(id) ? raised : sentNow(raised, now);
    if (!silenced(id)) send(next, "raised");
    record(next, "alert.raised");
    state.alerts.push(next);
  }
  return { ...state, outbox, toRecord };
}

export function silenceOf(silences: readonly Silence[], id: string, now: Date): Silence | null {
  return silences.find(({ alert, until }) => alert === id && Date.parse(until) > now.getTime()) ?? null;
}

type Kind = "raised" | "grown" | "repeated";

function track(before: readonly TrackedSign[], signs: readonly Sign[], observation: Observation): TrackedSign[] {
  const { now } = observation;
  const known = new Map(before.map((each) => [keyOf(each.sign), each]));
  const failed = failedRules(signs);
  const seen = new Map<string, TrackedSign>();
  for (const sign of signs) {
    const key = keyOf(sign);
    const was = known.get(key);
    const since = was && was.sign.since < sign.since ? was.sign.since : sign.since;
    seen.set(key, { sign: { ...sign, since }, firstSeen: was?.firstSeen ?? now, missingSince: null });
  }
  for (const [key, was] of known) {
    if (seen.has(key)) continue;
    const rule = RULES[was.sign.rule];
    // What a rule that fails had found is not known to be over.
    if (failed.has(was.sign.rule) || keeps(was.sign, observation)) seen.set(key, was);
    else {
      const missingSince = was.missingSince ?? now;
      const gone = now.getTime() - missingSince.getTime() >= rule.clearSeconds * 1000 || !isHeld(was, missingSince);
      if (!gone) seen.set(key, { ...was, missingSince });
    }
  }
  return [...seen.values()];
}

/** What cannot be answered is not known to be over, either. */
function keeps(sign: Sign, observation: Observation): boolean {
  try {
    return RULES[sign.rule].keeps?.(sign, observation) ?? false;
  } catch {
    return true;
  }
}

function isHeld({ sign, firstSeen, missingSince }: TrackedSign, now: Date): boolean {
  return (missingSince ?? now).getTime() - firstSeen.getTime() >= sign.holdSeconds * 1000;
}

function raise(id: string, live: readonly Sign[], observation: Observation): RaisedAlert {
  const [first] = live;
  if (first === undefined) throw new Error("an alert of nothing");
  const { rule, subject } = first;
  const words = { title: "", text: "", facts: [], link: null, translated: {} };
  const blank = { id, rule, subject, severity: "warning", since: first.since, members: [], words, told: null } as const;
  return refreshed({ ...blank, members: [], raisedAt: observation.now }, live, observation);
}

/** As it is now, without what another alert reports. */
function refreshed(alert: RaisedAlert, live: readonly Sign[], observation: Observation): RaisedAlert {
  const shown = live.filter(({ suppressed }) => !suppressed);
  if (shown.length === 0) return alert;
  const severity: Severity = shown.some((each) => each.severity === "critical") ? "critical" : "warning";
  return {
    ...alert,
    severity,
    since: new Date(Math.min(...shown.map((each) => each.since.getTime()))),
    members: shown.map(({ member }) => member),
    words: wordsOf(alert, shown, observation),
  };
}

/** Where the words fail, those of the last look, or what it is about: an alert without good words is better than none. */
function wordsOf(alert: RaisedAlert, shown: readonly Sign[], observation: Observation): RaisedAlert["words"] {
  try {
    return sayInAll((texts) => RULES[alert.rule].words(shown, observation, texts));
  } catch (error) {
    if (alert.words.title !== "") return alert.words;
    const text = `${shown.map(({ member }) => member).join(", ")}\n\n${reasonOf(error)}`;
    return { title: `${alert.rule}: ${alert.subject}`, text: visibleText(text), facts: [], link: "/", translated: {} };
  }
}

function due({ told, severity, members }: RaisedAlert, { alerts }: StepOptions, now: Date): Kind | null {
  if (told === null) return "raised";
  const passed = now.getTime() - told.at.getTime();
  if (severity === "critical" && told.severity === "warning") return "grown";
  if (passed >= UPDATE_MS && members.some((member) => !told.members.includes(member))) return "grown";
  return passed >= alerts.repeatSeconds * 1000 ? "repeated" : null;
}

function sentNow(alert: RaisedAlert, now: Date): RaisedAlert {
  const { members, severity, told } = alert;
  return { ...alert, told: { at: now, times: (told?.times ?? 0) + 1, members: [...members], severity } };
}

/** What of it goes on under another name. */
function elsewhere({ rule, members }: RaisedAlert, tracked: readonly TrackedSign[]): string[] {
  return tracked.flatMap(({ sign }) => (sign.rule === rule && members.includes(sign.member) ? [sign.member] : []));
}

function keyOf({ rule, subject, member }: Sign): string {
  return JSON.stringify([rule, subject, member]);
}
