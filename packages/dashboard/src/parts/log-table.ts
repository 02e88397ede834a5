import { html, type Html, join } from "@trivault/core";
import { icon } from "../status.ts";
import { time, urls, type View } from "../view.ts";
import { actorName } from "./runs-table.ts";

/** A line of the audit log. */
export interface LogLine {
  readonly seq: number;
  readonly at: string;
  readonly action: string;
  readonly outcome: "ok" | "failed" | "refused";
  readonly actor: string;
  readonly host: string;
  readonly database: string | null;
  readonly backupId: string | null;
  readonly tier: string | null;
  readonly seconds: number | null;
  readonly bytes: number | null;
  readonly problem: string | null;
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
}

export function logTable(view: View, lines: readonly LogLine[], shown: { readonly backup: boolean }): Html {
  const { text, format } = view;
  return html`<div class="scroll">
    <table class="log compact">
      <thead>
        <tr>
          <th scope="col">${text.audit.when}</th>
          <th scope="col">${text.audit.what}</th>
          <th scope="col">${text.audit.about}</th>
          <th scope="col">${text.run.by}</th>
          <th scope="col" class="num">${text.run.took}</th>
          <th scope="col" class="num">${text.overview.size}</th>
        </tr>
      </thead>
      <tbody>
        ${lines.map(
          (line) =>
            html`<tr>
              <th scope="row">${time(view, line.at)}</th>
              <td data-l="${text.audit.what}">
                ${icon(line.outcome === "ok" ? "ok" : line.outcome === "refused" ? "warn" : "bad")}${text.auditAction[line.action] ?? line.action}${line.outcome === "ok" || line.action.endsWith(line.outcome) ? null : html`<span class="outcome"> · ${text.outcome[line.outcome]}</span>`}${line.problem && html`<small class="problem">${line.problem}</small>`}
              </td>
              <td data-l="${text.audit.about}">${about(view, line, shown.backup)}</td>
              <td data-l="${text.run.by}" class="by">${actorName(view, line.actor)}</td>
              <td data-l="${text.run.took}" class="num">
                ${line.seconds === null ? null : format.duration(line.seconds)}
              </td>
              <td data-l="${text.overview.size}" class="num">
                ${line.bytes === null ? null : format.bytes(line.bytes)}
              </td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

function about(view: View, line: LogLine, withBackup: boolean): Html {
  const what = [
    withBackup && line.database !== null ? html`<a href="${urls.database(line.database)}">${line.database}</a>` : null,
    line.tier === null ? null : html`<span>${line.tier}</span>`,
  ];
  const details = Object.entries(line.details).filter(
    ([name, value]) => value !== null && !(name === "attempt" && value === 1),
  );
  const more = [
    ...(withBackup && line.backupId !== null
      ? [html`<a class="id" href="${urls.backup(line.backupId)}">${line.backupId}</a>`]
      : []),
    ...(details.length > 0 ? [details.map(([name, value]) => `${name}=${String(value)}`).join(", ")] : []),
  ];
  return html`<span class="about">${what}</span>${more.length > 0 && html`<small>${join(more, " ")}</small>`}`;
}
