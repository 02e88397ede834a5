import { html, type Html, type HtmlValue } from "@trivault/core";
import type { DatabaseRow, Overview } from "@trivault/monitor";
import { page } from "../layout.ts";
import { alertList, type AlertView } from "../parts/alerts.ts";
import { orphanList } from "../parts/orphans.ts";
import { sparkline } from "../parts/sparkline.ts";
import { strip } from "../parts/strip.ts";
import { tierCards } from "../parts/tier-cards.ts";
import { problemWords, verdict } from "../parts/verdict.ts";
import { copyStatus, type DatabaseHealth, databaseTone, type TierHealth } from "../status.ts";
import { time, urls, type View } from "../view.ts";

export interface OverviewPage {
  readonly overview: Overview;
  /** Those that fire; null where nothing looks for them. */
  readonly alerts: readonly AlertView[] | null;
  readonly filter: { readonly query: string; readonly onlyProblems: boolean };
}

/** From so many databases on there is something to filter. */
const MANY = 8;
/** From so many on a browser looks only at the rows in sight (assets/app.css). */
const VERY_MANY = 50;

export function overviewPage(view: View, { overview, alerts, filter }: OverviewPage): string {
  const { text } = view;
  return page(view, {
    title: text.nav.overview,
    here: "overview",
    body: html`<div data-refresh="20">
      ${verdict(view, overview)}
      <div id="alerts">
        ${alerts === null || alerts.length === 0 ? null : alertList(view, alerts, { folded: alerts.length > 1 })}
      </div>
      ${tierCards(view, overview.health.tiers, overview.tiers)} ${databases(view, overview, filter)}
      ${orphanList(view, overview.health.orphans)}
    </div>`,
  });
}

/** The first column is for those who came because something is wrong. */
function databases(view: View, overview: Overview, filter: OverviewPage["filter"]): Html {
  const { text } = view;
  const { health } = overview;
  if (health.databases.length === 0) {
    return html`<section class="empty" id="databases">
      <h2>${text.overview.emptyTitle}</h2>
      <p>${text.overview.empty}</p>
    </section>`;
  }
  const rowOf = new Map(overview.databases.map((row) => [row.name, row]));
  const all = health.databases.map((database) => ({ database, tone: databaseTone(database, health.tiers) }));
  const order = { bad: 0, warn: 1, live: 2, idle: 2, ok: 2 };
  const shown = all
    .filter(({ database, tone }) => matches(filter, database.name, tone))
    .toSorted((a, b) => order[a.tone] - order[b.tone]);
  const problems = all.filter(({ tone }) => tone !== "ok").length;
  const tiers = health.tiers.map(({ name }) => name);
  return html`<section id="databases" aria-labelledby="databases-title">
    <div class="bar">
      <h2 id="databases-title">${text.overview.databases} <span class="n">${view.format.count(all.length)}</span></h2>
      <p class="none">${text.overview.ages}</p>
      ${all.length < MANY ? null : filterForm(view, filter, problems)}
    </div>
    <div class="scroll">
      <table class="databases tiers-${Math.min(tiers.length, 6)}${shown.length > VERY_MANY ? " many" : null}">
        <thead>
          <tr>
            <th scope="col">${text.overview.database}</th>
            ${tiers.map((tier) => html`<th scope="col">${tier}</th>`)}
            <th scope="col">${text.overview.runs}</th>
            <th scope="col" class="num">${text.overview.size}</th>
            <th scope="col" class="num">${text.overview.next}</th>
          </tr>
        </thead>
        <tbody id="rows" data-none="${text.overview.noMatch}">
          ${shown.map(({ database, tone }) =>
            databaseRow(view, database, tone, rowOf.get(database.name), health.tiers),
          )}
        </tbody>
      </table>
    </div>
    <p id="no-match" class="none" ${shown.length > 0 ? HIDDEN : null}>${text.overview.noMatch}</p>
  </section>`;
}

const HIDDEN = html`hidden`;
const CHECKED = html`checked`;

function matches({ query, onlyProblems }: OverviewPage["filter"], name: string, tone: string): boolean {
  return (!onlyProblems || tone !== "ok") && name.toLowerCase().includes(query.trim().toLowerCase());
}

/** Works as a plain form; assets/app.js filters without asking the server. */
function filterForm({ text }: View, filter: OverviewPage["filter"], problems: number): Html {
  return html`<form class="filter" id="filter" action="/" role="search">
    <label class="sr" for="q">${text.overview.filter}</label>
    <input
      type="search"
      id="q"
      name="q"
      value="${filter.query}"
      placeholder="${text.overview.filter}"
      autocomplete="off"
      spellcheck="false"
    />
    <label class="check"
      ><input type="checkbox" name="problems" value="1" ${filter.onlyProblems ? CHECKED : null} />
      ${text.overview.onlyProblems(problems)}</label
    >
    <button class="quiet">${text.overview.apply}</button>
  </form>`;
}

function databaseRow(
  view: View,
  database: DatabaseHealth,
  tone: string,
  row: DatabaseRow | undefined,
  tiers: readonly TierHealth[],
): Html {
  const { text, format } = view;
  const runs = row?.strip ?? [];
  const size = runs.findLast(({ bytes }) => bytes !== null)?.bytes ?? database.tiers[0]?.bytes ?? null;
  const note = database.ok ? null : html`<small>${problemWords(view, database)}</small>`;
  const next =
    database.nextRun === null
      ? html`<span class="none">${text.overview.onDemand}</span>`
      : time(view, database.nextRun);
  // In pieces and not in lines: each space between the cells of hundreds of rows would be a node.
  const cells = [
    html`<th scope="row"><a href="${urls.database(database.name)}">${database.name}</a>${note}</th>`,
    ...tiers.map((tier) => copyCell(view, database, tier)),
    html`<td data-l="${text.overview.runs}">${strip(view, runs)}</td>`,
    html`<td data-l="${text.overview.size}" class="num">
      <span class="size">${sparkline(runs, text.overview.sizeTrend)}${size === null ? "–" : format.bytes(size)}</span>
    </td>`,
    html`<td data-l="${text.overview.next}" class="num">${next}</td>`,
  ];
  return html`<tr${tone === "ok" ? null : html` class="${tone}"`}>${cells}</tr>`;
}

function copyCell(view: View, database: DatabaseHealth, tier: TierHealth): Html {
  const { text, format } = view;
  const copy = database.tiers.find((each) => each.tier === tier.name);
  if (copy === undefined) return html`<td data-l="${tier.name}" class="none">${text.copy.notHere}</td>`;
  const { tone, words } = copyStatus(text, copy, tier);
  const age: HtmlValue = copy.ageSeconds === null ? null : html`<b>${format.age(copy.ageSeconds)}</b>`;
  const of =
    copy.ageSeconds === null || database.objectiveSeconds === null
      ? null
      : html` <i>${text.copy.of(format.age(database.objectiveSeconds))}</i>`;
  return html`<td data-l="${tier.name}" class="c ${tone}"><span>${words}</span>${age}${of}</td>`;
}
