import { html, type Html } from "@trivault/core";
import type { DatabasePage, Restoration } from "@trivault/monitor";
import { csrfField, page } from "../layout.ts";
import { calendar } from "../parts/calendar.ts";
import { chart } from "../parts/chart.ts";
import { type Fact, facts } from "../parts/facts.ts";
import { orphanActions, orphanTone, orphanWords } from "../parts/orphans.ts";
import { retentionList } from "../parts/retention-list.ts";
import { actorName, runsTable } from "../parts/runs-table.ts";
import { strip } from "../parts/strip.ts";
import { problemOf } from "../parts/verdict.ts";
import { badge, copyStatus, databaseTone, icon, type TierHealth } from "../status.ts";
import { ago, time, urls, type View } from "../view.ts";

export interface DatabasePageData {
  readonly database: DatabasePage;
  readonly tiers: readonly TierHealth[];
  /** All runs and backups, where there are more than fit. */
  readonly all: boolean;
}

const FEW_RUNS = 20;
const FEW_BACKUPS = 100;

export function databasePage(view: View, { database, tiers, all }: DatabasePageData): string {
  const { text } = view;
  const { health } = database;
  const { orphan } = database;
  const tone = orphan === null ? databaseTone(health, tiers) : orphanTone(orphan);
  const newest = database.retention.find((row) => row.tiers.some(({ state }) => state === "complete"));
  return page(view, {
    title: health.name,
    here: "overview",
    scripts: ["uPlot.js", "charts.js"],
    styles: ["uPlot.css"],
    body: html`<div data-refresh="20">
      <section id="verdict" class="title">
        <div>
          <p class="crumb"><a href="/">${text.nav.overview}</a></p>
          <h1>
            ${health.name}
            ${badge(tone, orphan === null ? text.databaseState[tone === "ok" ? "ok" : tone === "bad" ? "bad" : "warn"] : text.orphan.state[orphan.reason])}
          </h1>
          ${orphan && html`<p>${orphanWords(view, orphan)}</p>`}
          ${health.ok || orphan !== null ? null : html`<p>${problemOf(view, health)}.</p>`}
        </div>
        ${strip(view, database.runs)}
      </section>
      ${orphan === null ? actions(view, health.name, newest?.backupId ?? null) : orphanActions(view, orphan)}
      <div id="facts">${facts(factsOf(view, database))}</div>
      <section id="copies" aria-labelledby="copies-title">
        <h2 id="copies-title">${text.database.copies}</h2>
        ${copies(view, database, tiers)}
      </section>
      ${database.runs.length < 2 ? null : charts(view, database)} ${retention(view, database, all)}
      ${runs(view, database, all)} ${restores(view, database.restores)}
    </div>`,
  });
}

function actions(view: View, name: string, newest: string | null): Html | null {
  const { text } = view;
  if (view.viewer?.mayOperate !== true) return null;
  return html`<div class="actions" role="group" aria-label="${text.action.label}">
    <form method="post" action="${urls.database(name)}/backup">
      ${csrfField(view)}<button class="main">${text.action.backUp}</button>
    </form>
    ${newest && html`<form method="post" action="${urls.backup(newest)}/verify">${csrfField(view)}<button>${text.action.verifyNewest}</button></form>`}
    ${newest && html`<a class="button" href="${urls.backup(newest)}/restore">${text.action.restoreNewest}</a>`}
  </div>`;
}

function factsOf(view: View, database: DatabasePage): Fact[] {
  const { text, format } = view;
  const { health } = database;
  const duration = (seconds: number | null) => (seconds === null ? "–" : format.duration(seconds));
  return [
    {
      name: text.database.successRate,
      value: database.successRate === null ? "–" : format.percent(database.successRate),
      note: text.database.ofRuns(database.runs.length),
    },
    {
      name: text.database.recoveryPoint,
      value: duration(database.recoveryPointSeconds),
      note: text.database.longestGap,
    },
    {
      name: text.database.recoveryTime,
      value: duration(database.recoveryTimeSeconds),
      note: database.recoveryTimeSeconds === null ? text.database.neverRestored : text.database.lastRestore,
    },
    {
      name: text.database.objective,
      value: duration(health.objectiveSeconds),
      note:
        database.orphan !== null
          ? text.orphan.notBackedUp
          : health.objectiveSeconds === null
            ? text.database.anyCopy
            : text.database.perTier,
    },
    {
      name: text.overview.next,
      value: health.nextRun === null ? text.overview.onDemand : time(view, health.nextRun),
      note: database.missed.length === 0 ? text.database.noneMissed : text.database.missed(database.missed.length),
    },
  ];
}

function copies(view: View, { health }: DatabasePage, tiers: readonly TierHealth[]): Html {
  const { text, format } = view;
  return html`<div class="scroll">
    <table class="copies">
      <thead>
        <tr>
          <th scope="col">${text.nav.tier}</th>
          <th scope="col">${text.database.state}</th>
          <th scope="col">${text.database.newest}</th>
          <th scope="col" class="num">${text.database.backups}</th>
          <th scope="col" class="num">${text.overview.size}</th>
        </tr>
      </thead>
      <tbody>
        ${health.tiers.map((copy) => {
          const { tone, words } = copyStatus(
            text,
            copy,
            tiers.find(({ name }) => name === copy.tier),
          );
          const newest = copy.newestBackupId;
          return html`<tr>
            <th scope="row"><a href="${urls.tier(copy.tier)}">${copy.tier}</a></th>
            <td data-l="${text.database.state}">${badge(tone, words)}</td>
            <td data-l="${text.database.newest}">
              ${newest === null ? "–" : html`<a href="${urls.backup(newest)}">${text.ago(format.age(copy.ageSeconds ?? 0))}</a>`}
            </td>
            <td data-l="${text.database.backups}" class="num">${format.count(copy.backups)}</td>
            <td data-l="${text.overview.size}" class="num">${format.bytes(copy.bytes)}</td>
          </tr>`;
        })}
      </tbody>
    </table>
  </div>`;
}

function charts(view: View, { runs: all }: DatabasePage): Html {
  const { text } = view;
  const good = all.filter(({ bytes }) => bytes !== null);
  const x = good.map(({ startedAt }) => Date.parse(startedAt) / 1000);
  return html`<section class="charts" aria-label="${text.database.charts}">
    ${chart({ title: text.database.sizeOverTime, unit: "bytes", x, series: [{ name: text.overview.size, y: good.map(({ bytes }) => bytes) }] })}
    ${chart({ title: text.database.durationOverTime, unit: "seconds", x, series: [{ name: text.run.took, y: good.map(({ seconds }) => seconds) }] })}
  </section>`;
}

function retention(view: View, database: DatabasePage, all: boolean): Html {
  const { text } = view;
  const tiers = database.health.tiers.map(({ tier }) => tier);
  const rows = database.retention;
  const shown = all ? rows : rows.slice(0, FEW_BACKUPS);
  return html`<section id="retention" aria-labelledby="retention-title">
    <h2 id="retention-title">${text.database.retention}</h2>
    ${
      rows.length === 0
        ? html`<p class="none">${text.database.noBackups}</p>`
        : html`${calendar(view, tiers, { rows, listed: shown })}
            <details class="more" ${all ? OPEN : null}>
              <summary>${text.database.allBackups(rows.length)}</summary>
              ${retentionList(view, shown, tiers)}${more(view, shown.length, rows.length)}
            </details>`
    }
  </section>`;
}

const OPEN = html`open`;

function runs(view: View, database: DatabasePage, all: boolean): Html {
  const { text } = view;
  const newestFirst = database.runs.toReversed();
  const shown = all ? newestFirst : newestFirst.slice(0, FEW_RUNS);
  return html`<section id="runs" aria-labelledby="runs-title">
    <h2 id="runs-title">${text.database.runs}</h2>
    ${shown.length === 0 ? html`<p class="none">${text.strip.none}</p>` : runsTable(view, shown)}${more(view, shown.length, newestFirst.length)}
  </section>`;
}

function more({ text }: View, shown: number, all: number): Html | null {
  return shown === all ? null : html`<p><a href="?all=1">${text.showAll(all)}</a></p>`;
}

function restores(view: View, all: readonly Restoration[]): Html {
  const { text, format } = view;
  return html`<section id="restores" aria-labelledby="restores-title">
    <h2 id="restores-title">${text.database.restores}</h2>
    ${
      all.length === 0
        ? html`<p class="none">${text.database.neverRestoredLong}</p>`
        : html`<ul class="lines">
            ${all.map(
              (each) =>
                html`<li>
                  ${icon(each.outcome === "ok" ? "ok" : "bad")}<span>${ago(view, each.at)}</span>
                  <span>${each.target ?? ""}</span><span>${actorName(view, each.actor)}</span>
                  <span>${each.seconds === null ? null : format.duration(each.seconds)}</span>
                  ${each.problem && html`<small class="problem">${each.problem}</small>`}
                </li>`,
            )}
          </ul>`
    }
  </section>`;
}
