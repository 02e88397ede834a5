import {
  availabilityNote,
  chooseDatabases,
  checksText,
  copiesText,
  daysOf,
  growthText,
  rateNote,
  rateText,
  ratioText,
  restoresText,
  spreadText,
} from "./figures.ts";
import type { DatabaseReport, Report } from "./report.ts";
import { type Words, wordsOf } from "./texts/words.ts";

const WIDTH = 78;

/** The same facts for a terminal, and for whoever reads mail as text. */
export function renderText(
  report: Report,
  options: { readonly mostDatabases: number | null } = { mostDatabases: null },
): string {
  const words = wordsOf(report.language, report.timeZone);
  const { texts, format } = words;
  const { headings, notes } = texts;
  const title = `Trivault – ${texts.title(daysOf(report.period), report.database)}, ${format.day(report.period.to)}`;
  const { from, to } = report.period;
  return `${[
    title,
    "=".repeat(title.length),
    texts.period(format.longTime(from), format.longTime(to), report.timeZone),
    "",
    wrap(report.summary),
    ...(report.link === null ? [] : ["", report.link]),
    "",
    ...part(headings.decisions, decisionLines(report, words)),
    ...part(headings.failures, failureLines(report, words)),
    ...part(headings.objectives, objectiveLines(report, words)),
    ...part(headings.daily, [wrap(notes.daysText(format, report.days))]),
    ...part(texts.words.databases, databaseLines(report, words, options.mostDatabases)),
    ...part(headings.volume, [wrap(notes.volumeText(format, report.days))]),
    ...part(headings.tiers, tierLines(report, words)),
    ...part(headings.checks, checkLines(report, words)),
    wrap(notes.method),
    notes.footer(format.longTime(report.madeAt)),
    ...(report.recordHead === null ? [] : [wrap(notes.recordEnd(report.recordHead.seq, report.recordHead.hash))]),
  ]
    .join("\n")
    .replaceAll("\u00A0", " ")
    .replaceAll("\u202F", " ")}\n`;
}

function part(heading: string, lines: readonly string[]): string[] {
  return [heading, "-".repeat(heading.length), ...lines, ""];
}

function decisionLines({ decisions }: Report, { texts }: Words): string[] {
  if (decisions.length === 0) return [texts.notes.noDecision];
  return decisions.flatMap(({ severity, text, command }) => [
    wrap(`* [${texts.severity[severity]}] ${text}`, "  "),
    ...(command === null ? [] : [`    ${command}`]),
  ]);
}

function failureLines({ failures }: Report, { texts, format }: Words): string[] {
  if (failures.length === 0) return [texts.notes.noFailure];
  return failures.flatMap(({ stage, tier, runs, databases, firstAt, lastAt, recovered, message, advice }) => [
    wrap(
      `* ${texts.stage[stage](tier)}${texts.colon}${texts.notes.failedRuns(runs, format.names(databases, 8))}, ${texts.notes.when(format.time(firstAt), format.time(lastAt), runs)}. ${recovered ? texts.notes.recovered : texts.notes.notRecovered}`,
      "  ",
    ),
    wrap(`  ${message}`, "  "),
    wrap(`  ${texts.words.whatToDo}${texts.colon}${advice}`, "  "),
  ]);
}

function objectiveLines({ successRate30, availability30, window }: Report, words: Words): string[] {
  const { texts, format } = words;
  const { value } = availability30;
  const available = value === null ? texts.words.notKnown : format.percent(value);
  return [
    wrap(
      `${texts.words.successRate}${texts.colon}${rateText(successRate30, words)} (${rateNote(successRate30, words)})`,
      "  ",
    ),
    wrap(
      `${texts.words.availability}${texts.colon}${available} (${availabilityNote(availability30, window, words)})`,
      "  ",
    ),
  ];
}

function databaseLines(report: Report, words: Words, most: number | null): string[] {
  const { texts, format } = words;
  const { databases, period } = report;
  const { shown, rest } = chooseDatabases(report, most, words);
  const [first] = databases;
  if (first === undefined) return [texts.words.none];
  const { backup, sync, restore } = first;
  const targets = [backup, sync, restore].map(({ target }) => format.duration(target));
  return [
    wrap(texts.notes.durations(targets[0] ?? "", targets[1] ?? "", targets[2] ?? "")),
    "",
    ...shown.flatMap((database) => databaseBlock(database, daysOf(period), words)),
    ...(rest === null ? [] : [wrap(rest)]),
  ];
}

function databaseBlock(database: DatabaseReport, days: number, words: Words): string[] {
  const { texts, format } = words;
  const { name, safe, problem, backup, sync, restore, recoveryPoint, size, costPerMonth } = database;
  const reached = recoveryPoint.seconds === null ? "–" : format.duration(recoveryPoint.seconds);
  const facts = [
    `${texts.words.runs} ${ratioText(database, words)}`,
    `${texts.words.backup} ${spreadText(backup, words)}`,
    `${texts.words.sync} ${spreadText(sync, words)}`,
    ...(restore.count === 0 ? [] : [`${texts.words.restore} ${spreadText(restore, words)}`]),
    `${texts.words.recoveryPoint} ${reached}${recoveryPoint.within === false ? " !" : ""}`,
    `${texts.words.copiesPerTier} ${copiesText(database, words)}`,
    ...(size.bytes === null ? [] : [`${texts.words.size} ${format.bytes(size.bytes)}`]),
    ...(size.change === null ? [] : [`${texts.words.growth} ${growthText(size, words, days)}`]),
    ...(costPerMonth === null ? [] : [`${texts.words.costPerMonth} ${format.money(costPerMonth)}`]),
  ];
  const state = safe ? texts.words.safe : `${texts.words.notSafe}${problem === null ? "" : `${texts.colon}${problem}`}`;
  return [wrap(`${name}${texts.colon}${state}`, "  "), wrap(`  ${facts.join(texts.semicolon)}`, "  ")];
}

function tierLines({ tiers }: Report, { texts, format }: Words): string[] {
  return tiers.map(
    ({
      name,
      reachable,
      backups,
      damaged,
      untrusted,
      unknown,
      bytes,
      bytesPerDay,
      free,
      fullAt,
      costPerMonth,
      overBudget,
      unreachableSeconds,
    }) => {
      const facts = [
        reachable ? texts.words.reachable : texts.words.unreachable,
        `${format.count(backups)} ${texts.words.backups.toLowerCase()}`,
        ...(damaged > 0 ? [texts.notes.damaged(damaged)] : []),
        ...(untrusted > 0 ? [texts.notes.untrusted(untrusted)] : []),
        ...(unknown > 0 ? [texts.notes.unknown(unknown)] : []),
        ...(overBudget ? [texts.notes.overBudget] : []),
        ...(unreachableSeconds > 0 ? [texts.notes.wasAway(format.duration(unreachableSeconds))] : []),
        `${texts.words.held} ${format.bytes(bytes)}`,
        ...(bytesPerDay === null ? [] : [`${format.change(bytesPerDay)} ${texts.words.perDay}`]),
        ...(free === null ? [] : [`${texts.words.free} ${format.bytes(free)}`]),
        ...(fullAt === null ? [] : [`${texts.words.full} ${format.monthDay(fullAt)}`]),
        ...(costPerMonth === null ? [] : [`${texts.words.costPerMonth} ${format.money(costPerMonth)}`]),
      ];
      return wrap(`${name}${texts.colon}${facts.join(texts.semicolon)}`, "  ");
    },
  );
}

function checkLines(report: Report, words: Words): string[] {
  const { texts, format } = words;
  const list = report.restores.list.map(({ at, database, outcome, seconds, problem }) => {
    const word = { ok: texts.words.outcomeOk, failed: texts.words.outcomeFailed, refused: texts.words.outcomeRefused }[
      outcome
    ];
    const took = seconds === null ? "" : `, ${format.duration(seconds)}`;
    return wrap(
      `* ${format.time(at)} ${database ?? "–"}${texts.colon}${word}${took}${problem === null ? "" : `. ${problem}`}`,
      "  ",
    );
  });
  return [checksText(report, words), restoresText(report, words), ...list];
}

/** Lines of at most `WIDTH` characters; what has no space stays whole. */
function wrap(text: string, indent = ""): string {
  const lead = /^ */.exec(text)?.[0] ?? "";
  const lines: string[] = [];
  let line = lead;
  for (const word of text.trim().split(/ +/)) {
    if (line.trim() !== "" && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = indent + word;
    } else line += line.trim() === "" ? word : ` ${word}`;
  }
  return [...lines, line].join("\n");
}
