import { html, type Html, type HtmlValue } from "@trivault/core";
import { page } from "../layout.ts";
import { type LogLine, logTable } from "../parts/log-table.ts";
import type { View } from "../view.ts";

export interface AuditPage {
  readonly lines: readonly LogLine[];
  /** As they were sent. */
  readonly filter: AuditFilterValues;
  readonly actions: readonly string[];
  readonly databases: readonly string[];
  /** The address of older lines; null: there are none. */
  readonly older: string | null;
}

export interface AuditFilterValues {
  readonly database: string;
  readonly action: string;
  readonly outcome: string;
  readonly actor: string;
  readonly from: string;
  readonly to: string;
}

export function auditPage(view: View, { lines, filter, actions, databases, older }: AuditPage): string {
  const { text } = view;
  return page(view, {
    title: text.nav.audit,
    here: "audit",
    body: html`<h1>${text.nav.audit}</h1>
      <p class="lead">${text.audit.lead}</p>
      <form class="filters" action="/audit" role="search">
        ${field(text.overview.database, select("database", filter.database, databases, text.audit.all))}
        ${field(
          text.audit.what,
          select("action", filter.action, actions, text.audit.all, (name) => text.auditAction[name] ?? name),
        )}
        ${field(
          text.audit.outcome,
          select(
            "outcome",
            filter.outcome,
            ["ok", "failed", "refused"],
            text.audit.all,
            (name) => text.outcome[name as keyof typeof text.outcome],
          ),
        )}
        ${field(text.run.by, html`<input name="actor" value="${filter.actor}" autocomplete="off" spellcheck="false" />`)}
        ${field(text.audit.from, html`<input type="date" name="from" value="${filter.from}" />`)}
        ${field(text.audit.to, html`<input type="date" name="to" value="${filter.to}" />`)}
        <button>${text.overview.apply}</button>
      </form>
      ${lines.length === 0 ? html`<p class="none">${text.audit.nothing}</p>` : logTable(view, lines, { backup: true })}
      ${older && html`<p><a class="button" href="${older}">${text.audit.older}</a></p>`}`,
  });
}

function field(name: string, control: HtmlValue): Html {
  return html`<label>${name} ${control}</label>`;
}

function select(
  name: string,
  value: string,
  options: readonly string[],
  all: string,
  words = (option: string): string => option,
): Html {
  return html`<select name="${name}">
    <option value="">${all}</option>
    ${options.map(
      (option) => html`<option value="${option}" ${option === value ? SELECTED : null}>${words(option)}</option>`,
    )}
  </select>`;
}

const SELECTED = html` selected`;
