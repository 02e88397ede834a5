import { html, type Html } from "@trivault/core";
import { checksText, restoresText } from "../figures.ts";
import type { Report, TierReport } from "../report.ts";
import type { Words } from "../texts/words.ts";
import { cell, row, table } from "./database-tables.ts";
import { STYLES } from "./style.ts";

export function tiersTable({ tiers }: Report, words: Words): Html {
  const { texts, format } = words;
  const { tier, state, backups, held, growth, perDay, free, full, costPerMonth } = texts.words;
  const heads = [tier, state, backups, held, `~${growth} ${perDay}`, `~${free}`, full, `~${costPerMonth}`];
  const rows = tiers.map((each) => {
    const { name, bytes, bytesPerDay, fullAt, costPerMonth: cost } = each;
    return row([
      html`<td class="line" style="${STYLES.cell};padding-left:0;font-weight:600">${name}</td>`,
      stateCell(each, words),
      cell(format.count(each.backups), null),
      cell(format.bytes(bytes), null),
      cell(bytesPerDay === null ? "–" : format.change(bytesPerDay), null, { wide: true }),
      cell(each.free === null ? "–" : format.bytes(each.free), null, { wide: true }),
      cell(fullAt === null ? "–" : format.monthDay(fullAt), null),
      cell(cost === null ? "–" : format.money(cost), null, { wide: true }),
    ]);
  });
  return table(heads, rows);
}

function stateCell(tier: TierReport, words: Words): Html {
  const { reachable, damaged, untrusted, unknown, overBudget, unreachableSeconds } = tier;
  const { texts, format } = words;
  const problems = [
    ...(reachable ? [] : [texts.words.unreachable]),
    ...(damaged > 0 ? [texts.notes.damaged(damaged)] : []),
    ...(untrusted > 0 ? [texts.notes.untrusted(untrusted)] : []),
    ...(unknown > 0 ? [texts.notes.unknown(unknown)] : []),
    ...(overBudget ? [texts.notes.overBudget] : []),
    ...(unreachableSeconds > 0 ? [texts.notes.wasAway(format.duration(unreachableSeconds))] : []),
  ];
  if (problems.length === 0) return cell(texts.words.reachable, "good");
  return cell(problems.join(", "), reachable ? "warn" : "bad");
}

/** Copies that were read back, and restores that were made. */
export function checks(report: Report, words: Words): Html {
  const { texts, format } = words;
  const { list } = report.restores;
  const rows = list.map(({ at, database, outcome, seconds, bytes, problem }) => {
    const good = outcome === "ok";
    const word = { ok: texts.words.outcomeOk, failed: texts.words.outcomeFailed, refused: texts.words.outcomeRefused }[
      outcome
    ];
    return row([
      html`<td class="line" style="${STYLES.cell};padding-left:0">${format.time(at)}</td>`,
      cell(database ?? "–", null),
      cell(word, good ? "good" : "bad"),
      cell(seconds === null ? "–" : format.duration(seconds), null),
      html`<td class="line" style="${STYLES.cell}">${problem ?? (bytes === null ? "–" : format.bytes(bytes))}</td>`,
    ]);
  });
  const { restore, database, state, size } = texts.words;
  const restores = rows.length === 0 ? null : table([restore, database, state, texts.words.duration, size], rows);
  return html`<p style="${STYLES.text}">${checksText(report, words)} ${restoresText(report, words)}</p>
    ${restores}`;
}
