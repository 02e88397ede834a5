import { html, type Html } from "@trivault/core";
import { csrfField, page } from "../layout.ts";
import { badge } from "../status.ts";
import { time, type View } from "../view.ts";

export interface ReportRow {
  readonly day: string;
  readonly from: string;
  readonly to: string;
  readonly well: boolean;
  readonly summary: string;
  readonly html: string;
  readonly json: string;
}

export function reportsPage(view: View, reports: readonly ReportRow[]): string {
  const { text } = view;
  return page(view, {
    title: text.nav.reports,
    here: "reports",
    body: html`<h1>${text.nav.reports}</h1>
      <p class="lead">${text.reports.lead}</p>
      ${
        view.viewer?.mayOperate === true
          ? html`<div class="actions">
              <form method="post" action="/reports">
                ${csrfField(view)}<button class="main">${text.reports.now}</button>
              </form>
            </div>`
          : null
      }
      ${
        reports.length === 0
          ? html`<section class="empty">
              <h2>${text.reports.emptyTitle}</h2>
              <p>${text.reports.empty}</p>
            </section>`
          : table(view, reports)
      }`,
  });
}

function table(view: View, reports: readonly ReportRow[]): Html {
  const { text } = view;
  return html`<div class="scroll">
    <table>
      <thead>
        <tr>
          <th scope="col">${text.reports.period}</th>
          <th scope="col">${text.reports.outcome}</th>
          <th scope="col">${text.reports.read}</th>
        </tr>
      </thead>
      <tbody>
        ${reports.map(
          (report) =>
            html`<tr>
              <th scope="row">
                <a href="${report.html}">${time(view, report.from, "full")} – ${time(view, report.to, "full")}</a>
              </th>
              <td data-l="${text.reports.outcome}">
                ${badge(report.well ? "ok" : "warn", report.well ? text.reports.well : text.reports.notWell)}<small
                  >${report.summary}</small
                >
              </td>
              <td data-l="${text.reports.read}">
                <a href="${report.html}">HTML</a> · <a href="${report.json}">JSON</a>
              </td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}
