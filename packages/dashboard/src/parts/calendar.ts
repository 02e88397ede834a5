import { html, type Html } from "@trivault/core";
import type { RetentionRow } from "@trivault/monitor";
import type { View } from "../view.ts";

/** Months that are shown as grids; older backups stand in the list alone. */
const MONTHS = 12;

interface Calendar {
  readonly tiers: readonly string[];
  readonly byDay: ReadonlyMap<string, readonly RetentionRow[]>;
  /** Days whose backups stand in the list below; to the others the whole list has to be asked for. */
  readonly listed: ReadonlySet<string>;
}

/** Which days have a backup, and on which tiers; each day leads to its backups in the list. Days are those of UTC. */
export function calendar(
  view: View,
  tiers: readonly string[],
  { rows, listed }: { readonly rows: readonly RetentionRow[]; readonly listed: readonly RetentionRow[] },
): Html {
  const days = { tiers, byDay: Map.groupBy(rows, dayOf), listed: new Set(listed.map(dayOf)) };
  const months = [...new Set(rows.map(({ startedAt }) => startedAt.slice(0, 7)))].toSorted().toReversed();
  return html`<div class="months">${months.slice(0, MONTHS).map((name) => month(view, name, days))}</div>
    <p class="legend">
      ${tiers.map((tier, i) => html`<span><i class="t t${i % 6}"></i>${tier}</span>`)}<span
        ><i class="t gone"></i>${view.text.calendar.goes}</span
      >
    </p>`;
}

function dayOf({ startedAt }: RetentionRow): string {
  return startedAt.slice(0, 10);
}

function month(view: View, name: string, calendarOf: Calendar): Html {
  const first = new Date(`${name}-01T00:00:00Z`);
  const days = new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + 1, 0)).getUTCDate();
  const title = new Intl.DateTimeFormat(view.language, { month: "long", year: "numeric", timeZone: "UTC" }).format(
    first,
  );
  const weekdays = Array.from({ length: 7 }, (_, i) =>
    // 1 January 2024 was a Monday.
    new Intl.DateTimeFormat(view.language, { weekday: "narrow", timeZone: "UTC" }).format(Date.UTC(2024, 0, 1 + i)),
  );
  const lead = (first.getUTCDay() + 6) % 7;
  const cells: (Html | null)[] = Array.from({ length: lead }, () => html`<td></td>`);
  for (let day = 1; day <= days; day++) {
    const date = `${name}-${String(day).padStart(2, "0")}`;
    cells.push(dayCell(view, date, day, calendarOf));
  }
  while (cells.length % 7 !== 0) cells.push(html`<td></td>`);
  const weeks = Array.from({ length: cells.length / 7 }, (_, i) => cells.slice(i * 7, i * 7 + 7));
  return html`<table class="month">
    <caption>
      ${title}
    </caption>
    <thead>
      <tr>
        ${weekdays.map((each) => html`<th scope="col">${each}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${weeks.map(
        (week) =>
          html`<tr>
            ${week}
          </tr>`,
      )}
    </tbody>
  </table>`;
}

function dayCell(view: View, date: string, day: number, { byDay, tiers, listed }: Calendar): Html {
  const rows = byDay.get(date) ?? [];
  if (rows.length === 0) return html`<td>${day}</td>`;
  const marks = tiers.map((tier, i) => {
    const copies = rows.flatMap((row) => row.tiers.filter((each) => each.tier === tier && each.state !== "absent"));
    if (copies.length === 0) return html`<i></i>`;
    return html`<i class="t ${copies.every(({ action }) => action === "delete") ? "gone" : `t${i % 6}`}"></i>`;
  });
  const where = tiers.filter((tier) =>
    rows.some((row) => row.tiers.some((each) => each.tier === tier && each.state !== "absent")),
  );
  const words = view.text.calendar.day(rows.length, view.text.list(where));
  return html`<td class="has">
    <a
      href="${listed.has(date) ? "" : "?all=1"}#d${date}"
      title="${words}"
      aria-label="${view.format.time(`${date}T12:00:00Z`, "date", view.now)}: ${words}"
      >${day}<span class="ts">${marks}</span></a
    >
  </td>`;
}
