import { html } from "@trivault/core";
import { csrfField, page } from "../layout.ts";
import { icon } from "../status.ts";
import { time, urls, type View } from "../view.ts";

export interface DiscardPage {
  readonly database: string;
  /** What would be deleted, of each tier. */
  readonly copies: readonly {
    readonly tier: string;
    readonly backupId: string;
    readonly startedAt: string;
    readonly bytes: number;
  }[];
  /** Names exactly this plan, so that nothing is deleted that was not shown. */
  readonly digest: string;
  /** What stays, and tiers that cannot be asked. */
  readonly warnings: readonly string[];
  readonly problem: string | null;
}

/** All backups of a database that nobody backs up any more, before they are deleted for good. */
export function discardPage(view: View, plan: DiscardPage): string {
  const { text, format } = view;
  const bytes = plan.copies.reduce((sum, each) => sum + each.bytes, 0);
  const nothing = plan.copies.length === 0;
  return page(view, {
    title: text.discard.title(plan.database),
    here: "overview",
    body: html`<p class="crumb">
        <a href="/">${text.nav.overview}</a> › <a href="${urls.database(plan.database)}">${plan.database}</a>
      </p>
      <h1>${text.discard.title(plan.database)}</h1>
      <p class="lead">
        ${nothing ? text.discard.nothing : text.discard.summary(plan.copies.length, format.bytes(bytes))}
      </p>
      ${plan.problem && html`<p class="notice bad" role="alert">${icon("bad")}<span>${plan.problem}</span></p>`}
      ${plan.warnings.map((warning) => html`<p class="notice warn">${icon("warn")}<span>${warning}</span></p>`)}
      ${
        nothing
          ? null
          : html`<div class="scroll">
                <table>
                  <thead>
                    <tr>
                      <th scope="col">${text.run.started}</th>
                      <th scope="col">${text.nav.tier}</th>
                      <th scope="col" class="num">${text.overview.size}</th>
                    </tr>
                  </thead>
                  <tbody>
                    ${plan.copies.map(
                      (each) =>
                        html`<tr>
                          <th scope="row">
                            <a href="${urls.backup(each.backupId)}">${time(view, each.startedAt)}</a>
                          </th>
                          <td data-l="${text.nav.tier}">${each.tier}</td>
                          <td data-l="${text.overview.size}" class="num">${format.bytes(each.bytes)}</td>
                        </tr>`,
                    )}
                  </tbody>
                </table>
              </div>
              <form method="post" action="${urls.database(plan.database)}/discard">
                ${csrfField(view)}<input type="hidden" name="digest" value="${plan.digest}" />
                <div class="actions"><button class="danger">${text.discard.go(plan.copies.length)}</button></div>
              </form>`
      }`,
  });
}
