import { type HtmlValue, html, Html } from "@trivault/core";
import { availabilityNote, chooseDatabases, daysOf, rateNote } from "../figures.ts";
import type { Report } from "../report.ts";
import { type Words, wordsOf } from "../texts/words.ts";
import { runsChart, volumeChart } from "./charts.ts";
import { copiesTable, durationsTable } from "./database-tables.ts";
import { COLOURS, FONT, SHEET, STYLES, TONES, type Tone } from "./style.ts";
import { checks, tiersTable } from "./tier-tables.ts";

export interface HtmlOptions {
  /** More databases than this do not each get a row: healthy ones are only counted. Null: all are. */
  readonly mostDatabases: number | null;
}

/** A page that reads well in a mail client, on a telephone and on paper. It holds no script, and asks for nothing. */
export function renderHtml(report: Report, { mostDatabases }: HtmlOptions = { mostDatabases: null }): string {
  const words = wordsOf(report.language, report.timeZone);
  const { texts, format } = words;
  const title = texts.title(daysOf(report.period), report.database);
  const { shown, rest: restText } = chooseDatabases(report, mostDatabases, words);
  const rest = restText === null ? null : note(restText);
  const page = html`<!DOCTYPE html>
    <html lang="${report.language}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="supported-color-schemes" content="light dark" />
        <title>Trivault – ${title}, ${format.day(report.period.to)}</title>
        <style>
          ${new Html(SHEET)}
        </style>
      </head>
      <body class="page" style="margin:0;padding:0;background:${COLOURS.page}" bgcolor="${COLOURS.page}">
        <div style="display:none;max-height:0;overflow:hidden">${report.summary}</div>
        <table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0">
          <tr>
            <td class="outer" align="center" style="padding:20px 8px">
              <table
                role="presentation"
                class="card"
                width="680"
                cellpadding="0"
                cellspacing="0"
                border="0"
                style="width:100%;max-width:680px;table-layout:fixed;background:${COLOURS.card};border:1px solid ${COLOURS.line};border-radius:8px;font-family:${FONT};color:${COLOURS.ink};text-align:left"
              >
                ${header(report, title, words)} ${section(null, figures(report, words))}
                ${section(texts.headings.decisions, decisions(report, words))}
                ${section(texts.headings.failures, failures(report, words))}
                ${section(texts.headings.daily, [runsChart(report.days, texts.headings.daily, words), legend(report, words), note(texts.notes.daysText(format, report.days))])}
                ${section(texts.headings.durations, [durationsTable(shown, report, words), rest])}
                ${section(texts.headings.copies, [copiesTable(shown, report, words), rest])}
                ${section(texts.headings.volume, [volumeChart(report.days, texts.headings.volume, words), note(texts.notes.volumeText(format, report.days))])}
                ${section(texts.headings.tiers, tiersTable(report, words))}
                ${section(texts.headings.checks, checks(report, words))}
                <tr>
                  <td
                    class="pad line quiet"
                    style="padding:14px 24px 20px;border-top:1px solid ${COLOURS.line};${STYLES.quiet}"
                  >
                    ${texts.notes.method}<br />${texts.notes.footer(format.longTime(report.madeAt))}
                    ${report.recordHead && texts.notes.recordEnd(report.recordHead.seq, report.recordHead.hash)}
                  </td>
                </tr>
              </table>
            </td>
          </tr>
        </table>
      </body>
    </html> `;
  return page.markup;
}

function header(report: Report, title: string, { texts, format }: Words): Html {
  const unsafe = report.databases.some(({ safe }) => !safe) || report.databases.length === 0;
  const tone: Tone = unsafe ? "bad" : report.well ? "good" : "warn";
  const word = unsafe ? texts.danger : report.well ? texts.well : texts.attention;
  const { ink, back } = TONES[tone];
  const link =
    report.link === null
      ? null
      : html`<p class="no-print" style="margin:8px 0 0;font-size:13px">
          <a class="link" href="${report.link}" style="color:${COLOURS.link}">${texts.words.openDashboard}</a>
        </p>`;
  return html`<tr>
      <td class="pad" style="padding:22px 24px 6px">
        <div class="quiet" style="${STYLES.quiet}">Trivault – ${title}</div>
        <h1 style="margin:2px 0;font-size:23px;line-height:29px;font-weight:700">
          ${capital(format.day(report.period.to))}
        </h1>
        <div class="quiet" style="${STYLES.quiet}">
          ${texts.period(format.longTime(report.period.from), format.longTime(report.period.to), report.timeZone)}
        </div>
      </td>
    </tr>
    <tr>
      <td class="pad" style="padding:10px 24px 4px">
        <table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0">
          <tr>
            <td
              class="${tone}-back"
              bgcolor="${back}"
              style="background:${back};border-left:5px solid ${ink};padding:12px 14px"
            >
              <div class="${tone}" style="font-size:16px;line-height:21px;font-weight:700;color:${ink}">${word}</div>
              <p style="${STYLES.text}">${report.summary}</p>
              ${link}
            </td>
          </tr>
        </table>
      </td>
    </tr>`;
}

function section(heading: string | null, content: HtmlValue): Html {
  const title = heading === null ? null : html`<h2 style="${STYLES.h2}">${heading}</h2>`;
  return html`<tr>
    <td class="pad" style="padding:14px 24px 8px">${title}${content}</td>
  </tr>`;
}

function note(text: string): Html {
  return html`<p class="quiet" style="margin:6px 0 0;${STYLES.quiet}">${text}</p>`;
}

function figures(report: Report, words: Words): Html {
  const { texts, format } = words;
  const { databases, successRate30: success, availability30: available } = report;
  const safe = databases.filter((each) => each.safe).length;
  const toneOf = { met: "good", missed: "bad", unknown: "warn" } as const;
  const ended = report.runs.ok + report.runs.incomplete + report.runs.failed;
  const percent = (value: number | null) => (value === null ? texts.words.notKnown : format.percent(value));
  const all: { name: string; value: string; note: string; tone: Tone }[] = [
    {
      name: texts.words.safeNow,
      value: `${format.count(safe)} / ${format.count(databases.length)}`,
      note: texts.words.databases.toLowerCase(),
      tone: safe === databases.length && safe > 0 ? "good" : "bad",
    },
    {
      name: texts.words.runs,
      value: `${format.count(report.runs.ok)} / ${format.count(ended)}`,
      note:
        report.runs.missed === 0
          ? texts.words.backups.toLowerCase()
          : `+ ${format.count(report.runs.missed)} ${texts.words.missedRuns}`,
      tone: report.runs.ok === ended && report.runs.missed === 0 ? "good" : report.runs.failed > 0 ? "bad" : "warn",
    },
    {
      name: `${texts.words.successRate}, ${texts.words.thirtyDays}`,
      value: percent(success.value),
      note: rateNote(success, words),
      tone: toneOf[success.verdict],
    },
    {
      name: `${texts.words.availability}, ${texts.words.thirtyDays}`,
      value: percent(available.value),
      note: availabilityNote(available, report.window, words),
      tone: toneOf[available.verdict],
    },
  ];
  const widths = ["19%", "21%", "27%", "33%"];
  const cells = all.map(({ name, value, note: noteText, tone }, index) => {
    const border = index === 0 ? "" : `border-left:1px solid ${COLOURS.line};padding-left:12px;`;
    return html`<td
      class="figure line"
      width="${widths[index] ?? "25%"}"
      style="${border}padding-right:8px;vertical-align:top"
    >
      <div class="quiet" style="${STYLES.quiet}">${name}</div>
      <div
        class="${tone}"
        style="font-size:20px;line-height:26px;font-weight:700;color:${TONES[tone].ink};white-space:nowrap"
      >
        ${value}
      </div>
      <div class="quiet" style="${STYLES.quiet}">${noteText}</div>
    </td>`;
  });
  return html`<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0">
    <tr>
      ${cells}
    </tr>
  </table>`;
}

function decisions(report: Report, { texts }: Words): Html {
  if (report.decisions.length === 0) return html`<p style="${STYLES.text}">${texts.notes.noDecision}</p>`;
  const tones = { critical: "bad", warning: "warn", info: "quiet" } as const;
  const rows = report.decisions.map(({ severity, text, command }) => {
    const tone = tones[severity];
    const ink = tone === "quiet" ? COLOURS.quiet : TONES[tone].ink;
    const code =
      command === null ? null : html`<div class="quiet" style="${STYLES.code};color:${COLOURS.quiet}">${command}</div>`;
    return html`<tr>
      <td
        class="line ${tone}"
        style="${STYLES.cell};padding-left:0;width:96px;color:${ink};font-weight:600;white-space:nowrap"
      >
        ${texts.severity[severity]}
      </td>
      <td class="line" style="${STYLES.cell};padding-right:0">${text}${code}</td>
    </tr>`;
  });
  return html`<table width="100%" cellpadding="0" cellspacing="0" border="0">
    ${rows}
  </table>`;
}

function failures(report: Report, { texts, format }: Words): Html {
  if (report.failures.length === 0) return html`<p style="${STYLES.text}">${texts.notes.noFailure}</p>`;
  const rows = report.failures.map((failure) => {
    const { stage, tier, message, runs, databases, firstAt, lastAt, recovered, advice } = failure;
    const tone: Tone = recovered ? "warn" : "bad";
    return html`<tr class="keep">
      <td class="line" style="${STYLES.cell};padding-left:0;padding-right:0">
        <b>${capital(texts.stage[stage](tier))}</b> – ${texts.notes.failedRuns(runs, format.names(databases, 8))},
        ${texts.notes.when(format.time(firstAt), format.time(lastAt), runs)}.
        <span class="${tone}" style="color:${TONES[tone].ink};font-weight:600"
          >${recovered ? texts.notes.recovered : texts.notes.notRecovered}</span
        >
        <div style="margin-top:3px">${message}</div>
        <div class="quiet" style="margin-top:3px;${STYLES.quiet}">${texts.words.whatToDo}${texts.colon}${advice}</div>
      </td>
    </tr>`;
  });
  return html`<table width="100%" cellpadding="0" cellspacing="0" border="0">
    ${rows}
  </table>`;
}

function legend({ days }: Report, { texts }: Words): Html {
  const kinds = [
    ["ok", COLOURS.good, texts.words.okRuns],
    ["incomplete", "#d98e1f", texts.words.incompleteRuns],
    ["failed", COLOURS.bad, texts.words.failedRuns],
    ["missed", "#6b7280", texts.words.missedRuns],
  ] as const;
  const present = kinds.filter(([kind]) => kind === "ok" || days.some((day) => day[kind] > 0));
  const parts = present.map(
    ([, colour, name]) =>
      html`<span style="color:${colour};font-size:13px" aria-hidden="true">&#9632;</span> ${name} &nbsp; `,
  );
  return html`<div class="quiet" style="margin-top:4px;${STYLES.quiet}">${parts}</div>`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
