import { type HtmlValue, html, type Html } from "@trivault/core";
import { daysOf, growthText, ratioText, spreadText } from "../figures.ts";
import type { DatabaseReport, Durations, Report } from "../report.ts";
import type { Words } from "../texts/words.ts";
import { STYLES, TONES, type Tone } from "./style.ts";

export function durationsTable(databases: readonly DatabaseReport[], report: Report, words: Words): Html {
  const { texts, format } = words;
  const targets = report.databases[0];
  const heads = [texts.words.database, texts.words.runs, texts.words.backup, texts.words.sync, texts.words.restore];
  const rows = databases.map((database) => {
    const { runs } = database;
    const bad = runs.failed + runs.incomplete + runs.missed > 0;
    return row([
      nameCell(database, words),
      cell(ratioText(database, words), bad ? (runs.failed > 0 ? "bad" : "warn") : null),
      durationsCell(database.backup, words),
      durationsCell(database.sync, words),
      durationsCell(database.restore, words),
    ]);
  });
  const intro =
    targets === undefined
      ? null
      : html`<p class="quiet" style="margin:0 0 4px;${STYLES.quiet}">
          ${texts.notes.durations(format.duration(targets.backup.target), format.duration(targets.sync.target), format.duration(targets.restore.target))}
        </p>`;
  return html`${intro}${table(heads, rows)}`;
}

export function copiesTable(databases: readonly DatabaseReport[], report: Report, words: Words): Html {
  const { texts, format } = words;
  const priced = databases.some(({ costPerMonth }) => costPerMonth !== null);
  const columns = report.tiers.map(({ name }) => name);
  const days = daysOf(report.period);
  const growth = days === 1 ? `${texts.words.growth} ${texts.words.perDay}` : texts.words.growth;
  const heads = [
    texts.words.database,
    texts.words.recoveryPoint,
    `${texts.words.copiesPerTier}${texts.colon}${columns.join(" / ")}`,
    texts.words.size,
    `~${growth}`,
    ...(priced ? [`~${texts.words.costPerMonth}`] : []),
  ];
  const rows = databases.map((database) => {
    const { recoveryPoint, tiers, size, costPerMonth } = database;
    const reached = recoveryPoint.seconds === null ? "–" : format.duration(recoveryPoint.seconds);
    const copies = columns.map((name, index) => {
      const found = tiers.find(({ tier }) => tier === name);
      const between = index === 0 ? "" : " / ";
      if (found === undefined || found.ok) return html`${between}${found ? format.count(found.backups) : "–"}`;
      return html`${between}<span class="bad" style="color:${TONES.bad.ink};font-weight:600"
          >${format.count(found.backups)}&nbsp;!</span
        >`;
    });
    return row([
      nameCell(database, words),
      cell(recoveryPoint.within === false ? `${reached} !` : reached, recoveryPoint.within === false ? "bad" : null),
      cell(copies, null),
      cell(size.bytes === null ? "–" : format.bytes(size.bytes), null),
      cell(growthText(size, words, days), null, { wide: true }),
      ...(priced ? [cell(costPerMonth === null ? "–" : format.money(costPerMonth), null, { wide: true })] : []),
    ]);
  });
  return table(heads, rows);
}

/** What is wrong with it is named among the decisions. */
function nameCell({ name, safe }: DatabaseReport, { texts }: Words): Html {
  const badge = safe
    ? null
    : html`<br /><span class="bad" style="color:${TONES.bad.ink};font-size:12px">${texts.words.notSafe}</span>`;
  return html`<td
    class="line"
    style="${STYLES.cell};padding-left:0;font-weight:600;min-width:84px;overflow-wrap:anywhere"
  >
    ${name}${badge}
  </td>`;
}

function durationsCell(durations: Durations, words: Words): Html {
  if (durations.beyond === 0) return cell(spreadText(durations, words), null);
  const beyond = words.texts.notes.beyond(durations.beyond);
  return cell(html`${spreadText(durations, words)}<br /><b>${beyond}</b>`, "warn");
}

/** `wide`: left out where there is little room. */
export function cell(content: HtmlValue, tone: Tone | null, { wide = false } = {}): Html {
  const classes = `line num${tone === null ? "" : ` ${tone}`}${wide ? " wide" : ""}`;
  const colour = tone === null ? "" : `;color:${TONES[tone].ink}`;
  return html`<td class="${classes}" style="${STYLES.cell};white-space:nowrap${colour}">${content}</td>`;
}

export function row(cells: readonly Html[]): Html {
  return html`<tr>
    ${cells}
  </tr>`;
}

/** A heading that begins with a `~` is that of cells which are left out where there is little room. */
export function table(heads: readonly string[], rows: readonly Html[]): Html {
  const names = heads.map((head, index) => {
    const classes = `quiet${head.startsWith("~") ? " wide" : ""}`;
    const style = `${STYLES.head}${index === 0 ? ";padding-left:0" : ""}`;
    return html`<th scope="col" class="${classes}" style="${style}">${head.replace(/^~/, "")}</th>`;
  });
  return html`<table width="100%" cellpadding="0" cellspacing="0" border="0" style="border-collapse:collapse">
    <thead>
      <tr>
        ${names}
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`;
}
