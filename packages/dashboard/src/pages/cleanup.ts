import { html } from "@trivault/core";
import { csrfField, page } from "../layout.ts";
import { icon } from "../status.ts";
import { time, urls, type View } from "../view.ts";

export interface CleanupPage {
  readonly tier: string;
  /** What would be deleted, and which rule says so. */
  readonly deletions: readonly {
    readonly database: string;
    readonly backupId: string;
    readonly startedAt: string;
    readonly bytes: number;
    readonly rule: string;
    /** Until when it waits, as the rules changed; null: for nothing. Ordered here, it goes at once. */
    readonly heldUntil: string | null;
  }[];
  readonly kept: number;
  /** Names exactly this plan, so that nothing is deleted that was not shown. */
  readonly digest: string;
  readonly warnings: readonly string[];
  readonly problem: string | null;
}

export function cleanupPage(view: View, plan: CleanupPage): string {
  const { text, format } = view;
  const bytes = plan.deletions.reduce((sum, each) => sum + each.bytes, 0);
  const nothing = plan.deletions.length === 0;
  return page(view, {
    title: text.cleanup.title(plan.tier),
    here: "tiers",
    body: html`<p class="crumb">
        <a href="/tiers">${text.nav.tiers}</a> › <a href="${urls.tier(plan.tier)}">${plan.tier}</a>
      </p>
      <h1>${text.cleanup.title(plan.tier)}</h1>
      <p class="lead">
        ${nothing ? text.cleanup.nothing(format.count(plan.kept)) : text.cleanup.summary(plan.deletions.length, format.bytes(bytes), format.count(plan.kept))}
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
                      <th scope="col">${text.overview.database}</th>
                      <th scope="col">${text.run.started}</th>
                      <th scope="col" class="num">${text.overview.size}</th>
                      <th scope="col">${text.backup.why}</th>
                    </tr>
                  </thead>
                  <tbody>
                    ${plan.deletions.map(
                      (each) =>
                        html`<tr>
                          <th scope="row">${each.database}</th>
                          <td data-l="${text.run.started}">
                            <a href="${urls.backup(each.backupId)}">${time(view, each.startedAt)}</a>
                          </td>
                          <td data-l="${text.overview.size}" class="num">${format.bytes(each.bytes)}</td>
                          <td data-l="${text.backup.why}">
                            ${each.rule}${each.heldUntil && html`<small>${text.cleanup.held} ${time(view, each.heldUntil)}</small>`}
                          </td>
                        </tr>`,
                    )}
                  </tbody>
                </table>
              </div>
              <form method="post" action="${urls.tier(plan.tier)}/cleanup">
                ${csrfField(view)}<input type="hidden" name="digest" value="${plan.digest}" />
                <div class="actions"><button class="danger">${text.cleanup.go(plan.deletions.length)}</button></div>
              </form>`
      }`,
  });
}
