import { html, type Html } from "@trivault/core";
import { csrfField, page } from "../layout.ts";
import { prose } from "../parts/prose.ts";
import { icon, type Tone } from "../status.ts";
import { time, urls, type View } from "../view.ts";

export interface RestorePage {
  readonly backupId: string;
  readonly database: string;
  readonly startedAt: string;
  /** The name of the database to be made; as typed before, or a proposal. */
  readonly target: string;
  readonly tiers: readonly string[];
  readonly to: "source-server" | "restore-server";
  /** Whether there is one. */
  readonly restoreServer: boolean;
  /** Whether who looks may restore to the server that the backup came from. */
  readonly sourceServer: boolean;
  /** The only tier to read, or `any`. */
  readonly from: string;
  /** What was looked at; null: nothing yet. */
  readonly checks: readonly RestoreCheck[] | null;
  readonly problem: string | null;
}

export interface RestoreCheck {
  /** `unknown`: it cannot be looked at from here. */
  readonly outcome: "ok" | "unknown" | "failed";
  readonly text: string;
}

const TONES: Readonly<Record<RestoreCheck["outcome"], Tone>> = { ok: "ok", unknown: "idle", failed: "bad" };

/** First where to, then what was checked, and only then the button that does it. */
export function restorePage(view: View, restore: RestorePage): string {
  const { text } = view;
  const url = urls.backup(restore.backupId);
  return page(view, {
    title: text.restore.title(restore.database),
    here: "overview",
    body: html`<p class="crumb"><a href="/">${text.nav.overview}</a> › <a href="${urls.database(restore.database)}">${restore.database}</a> › <a class="id" href="${url}">${restore.backupId}</a></p>
      <h1>${text.restore.title(restore.database)}</h1>
      <p class="lead">${text.restore.lead} ${time(view, restore.startedAt, "full")}.</p>
      ${restore.problem && html`<p class="notice bad" role="alert">${icon("bad")}<span>${prose(restore.problem)}</span></p>`}
      <form method="post" action="${url}/restore/check" class="stack">${csrfField(view)}
        <label>${text.restore.target} <input name="target" value="${restore.target}" required maxlength="500" autocomplete="off" spellcheck="false" aria-describedby="target-hint"></label>
        <p class="none" id="target-hint">${text.restore.targetHint}</p>
        ${
          restore.restoreServer
            ? html`<label
                >${text.restore.to}
                <select name="to">
                  ${restore.sourceServer ? html`<option value="source-server">${text.restore.toSource}</option>` : null}
                  <option value="restore-server" ${restore.to === "restore-server" ? SELECTED : null}>
                    ${text.restore.toRestoreServer}
                  </option>
                </select></label
              >`
            : null
        }
        <label>${text.restore.from} <select name="from"><option value="any">${text.restore.anyTier}</option>${restore.tiers.map(
          (tier) => html`<option value="${tier}" ${tier === restore.from ? SELECTED : null}>${tier}</option>`,
        )}</select></label>
        <div class="actions"><button${restore.checks === null ? html` class="main"` : null}>${text.restore.check}</button></div>
      </form>
      ${restore.checks && checked(view, restore, restore.checks)}`,
  });
}

const SELECTED = html` selected`;

function checked(view: View, restore: RestorePage, checks: readonly RestoreCheck[]): Html {
  const { text } = view;
  const may = checks.every(({ outcome }) => outcome !== "failed");
  return html`<section aria-labelledby="checks">
    <h2 id="checks">${text.restore.checks}</h2>
    <ul class="lines checks">
      ${checks.map(({ outcome, text: words }) => html`<li>${icon(TONES[outcome])}<span>${prose(words)}</span><span class="sr">${text.checkOutcome[outcome]}</span></li>`)}
    </ul>
    ${
      may
        ? html`<form method="post" action="${urls.backup(restore.backupId)}/restore">
            ${csrfField(view)}<input type="hidden" name="target" value="${restore.target}" />
            <input type="hidden" name="from" value="${restore.from}" /><input
              type="hidden"
              name="to"
              value="${restore.to}"
            />
            <div class="actions"><button class="main">${text.restore.go(restore.target)}</button></div>
          </form>`
        : html`<p class="problem">${text.restore.mayNot}</p>`
    }
  </section>`;
}
