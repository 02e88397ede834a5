import { html } from "../html.ts";
import { csrfField, page } from "../layout.ts";
import { time, type View } from "../view.ts";

export interface ReportRow {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  readonly html: string;
  readonly json: string;
}

export function reportsPage(view: View, reports: readonly ReportRow[], mayGenerate: boolean): string {
  const { text } = view;
  return page(view, {
    title: text.nav.reports,
    here: "reports",
    body: html`<h1>${text.nav.reports}</h1>
      <p class="lead">${text.reports.lead}</p>
      ${
        mayGenerate && view.viewer?.mayOperate === true
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
          : html`<div class="scroll">
              <table>
                <thead>
                  <tr>
                    <th scope="col">${text.reports.period}</th>
                    <th scope="col">${text.reports.read}</th>
                  </tr>
                </thead>
                <tbody>
                  ${reports.map(
                    (report) =>
                      html`<tr>
                        <th scope="row">${time(view, report.from, "full")} – ${time(view, report.to, "full")}</th>
                        <td data-l="${text.reports.read}">
                          <a href="${report.html}">HTML</a> · <a href="${report.json}">JSON</a>
                        </td>
                      </tr>`,
                  )}
                </tbody>
              </table>
            </div>`
      }`,
  });
}
