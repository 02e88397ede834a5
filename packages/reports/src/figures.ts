import { DAY_MS } from "@trivault/core";
import type { AvailabilityFigure, DatabaseReport, Durations, Rate, Report } from "./report.ts";
import { successOf } from "./measure-runs.ts";
import type { Words } from "./texts/words.ts";

/** What HTML and plain text show alike. */

/** `28 / 41 / 123 ! s`: median, 95th percentile and worst; what took longer than it may is marked. */
export function spreadText({ median, p95, worst, target, count }: Durations, { format }: Words): string {
  const figures = count === 1 ? [worst] : [median, p95, worst];
  const known = figures.filter((value) => value !== null);
  return known.length === 0 ? "–" : format.durations(known, (value) => (value > target ? `\u00A0!` : ""));
}

export function ratioText({ runs }: Pick<DatabaseReport, "runs">, { format }: Words): string {
  const ended = runs.ok + runs.incomplete + runs.failed;
  const rate = successOf(runs);
  const missed = runs.missed === 0 ? "" : ` (+${format.count(runs.missed)})`;
  return rate === null ? `–${missed}` : `${format.count(runs.ok)}/${format.count(ended)}${missed}`;
}

export function rateText({ value }: Rate, { texts, format }: Words): string {
  return value === null ? texts.words.notKnown : format.percent(value);
}

/** What stands below the objective's figure: the objective, the verdict, and what the figure rests on. */
export function rateNote({ objective, verdict, runs, value }: Rate, { texts, format }: Words): string {
  const text = `${texts.notes.objective(format.percent(objective))}${texts.colon}${texts.verdict[verdict]}`;
  return value === null ? text : `${text} (${format.count(runs)} ${texts.words.backups.toLowerCase()})`;
}

const NEARLY_ALL = 0.999;

export function availabilityNote(figure: AvailabilityFigure, window: Report["window"], words: Words): string {
  const { texts, format } = words;
  const { objective, verdict, knownSeconds, unreachableSeconds } = figure;
  const whole = (Date.parse(window.to) - Date.parse(window.from)) / 1000;
  return [
    `${texts.notes.objective(format.percent(objective))}${texts.colon}${texts.verdict[verdict]}`,
    ...(knownSeconds < whole * NEARLY_ALL ? [texts.notes.knownTime(format.duration(knownSeconds))] : []),
    ...lacking(figure, words),
    ...(unreachableSeconds > 0 ? [texts.notes.awayTime(format.duration(unreachableSeconds))] : []),
  ].join(words.texts.semicolon);
}

function lacking({ knownSeconds, goodSeconds }: AvailabilityFigure, { texts, format }: Words): string[] {
  const bad = knownSeconds - goodSeconds;
  return bad > 0 ? [texts.notes.badTime(format.duration(bad))] : [];
}

export function growthText({ change, perDay }: DatabaseReport["size"], { texts, format }: Words, days: number): string {
  if (change === null || perDay === null) return "–";
  if (days <= 1) return format.change(change);
  return `${format.change(change)} (${format.change(perDay)} ${texts.words.perDay})`;
}

/** `local 53, cloud 120 !`: how many complete copies each tier holds; of one without a fresh one that is marked. */
export function copiesText({ tiers }: DatabaseReport, { format }: Words): string {
  return tiers.map(({ tier, backups, ok }) => `${tier} ${format.count(backups)}${ok ? "" : " !"}`).join(", ") || "–";
}

/** Whole days of the period, at least one. */
export function daysOf({ from, to }: Report["period"]): number {
  return Math.max(1, Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS));
}

/** How urgently it is to be looked at: 0 it is not safe, 1 runs of it went wrong, 2 something took too long, 3 not at all. */
function urgencyOf({ safe, runs, backup, sync, restore, recoveryPoint }: DatabaseReport): number {
  if (!safe) return 0;
  if (runs.failed + runs.incomplete + runs.missed > 0) return 1;
  return backup.beyond + sync.beyond + restore.beyond > 0 || recoveryPoint.within === false ? 2 : 3;
}

export function checksText({ verifications: { good, bad, databases } }: Report, { texts }: Words): string {
  return good + bad === 0 ? texts.notes.notVerified : texts.notes.verified(good, bad, databases);
}

export function restoresText({ restores: { good, bad } }: Report, { texts }: Words): string {
  return good + bad === 0 ? texts.notes.notRestored : texts.notes.restored(good, bad);
}

export interface Chosen {
  readonly shown: readonly DatabaseReport[];
  /** What is said about those that are not shown; null: all are. */
  readonly rest: string | null;
}

/** The most urgent come first. Those after the first `most` are only counted. */
export function chooseDatabases({ databases }: Report, most: number | null, { texts }: Words): Chosen {
  const ordered = databases.toSorted((a, b) => urgencyOf(a) - urgencyOf(b));
  if (most === null || ordered.length <= most) return { shown: ordered, rest: null };
  const left = ordered.slice(most);
  const well = left.filter((database) => urgencyOf(database) === 3).length;
  const rest = [
    ...(well < left.length ? [texts.notes.moreNotable(left.length - well)] : []),
    ...(well > 0 ? [texts.notes.asTheyShouldBe(well)] : []),
    texts.notes.attached,
  ];
  return { shown: ordered.slice(0, most), rest: rest.join(" ") };
}
