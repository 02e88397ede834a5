import { html, type Html } from "@trivault/core";
import type { Run } from "@trivault/monitor";
import { icon, runBadge } from "../status.ts";
import { time, urls, type View } from "../view.ts";

/** Newest first. */
export function runsTable(view: View, runs: readonly Run[]): Html {
  const { text, format } = view;
  return html`<div class="scroll">
    <table class="runs compact">
      <thead>
        <tr>
          <th scope="col">${text.run.started}</th>
          <th scope="col">${text.run.result}</th>
          <th scope="col">${text.run.stages}</th>
          <th scope="col" class="num">${text.run.took}</th>
          <th scope="col" class="num">${text.overview.size}</th>
          <th scope="col">${text.run.by}</th>
        </tr>
      </thead>
      <tbody>
        ${runs.map(
          (run, i) =>
            html`<tr>
              <th scope="row"><a href="${urls.backup(run.backupId)}">${time(view, run.startedAt)}</a></th>
              <td data-l="${text.run.result}">
                ${runBadge(view, run.state)}${run.problem && run.problem.message !== runs[i - 1]?.problem?.message && html`<small class="problem">${run.problem.message}</small>`}
              </td>
              <td data-l="${text.run.stages}">${stages(view, run)}</td>
              <td data-l="${text.run.took}" class="num">${format.duration(run.seconds)}</td>
              <td data-l="${text.overview.size}" class="num">${run.bytes === null ? "–" : format.bytes(run.bytes)}</td>
              <td data-l="${text.run.by}" class="by">${actorName(view, run.actor)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** One mark per stage that ended, each with its own words. */
function stages({ text, format }: View, run: Run): Html {
  return html`<span class="marks"
    >${run.stages.map(({ stage, tier, outcome, seconds, attempts }) => {
      const name = tier ?? text.stage[stage];
      const words = `${name}: ${text.outcome[outcome]}, ${format.duration(seconds)}${attempts > 1 ? `, ${text.run.attempts(attempts)}` : ""}`;
      return html`<span title="${words}">${icon(outcome === "ok" ? "ok" : "bad")}${name}</span>`;
    })}</span
  >`;
}

/** `schedule`, `user:ada`, `token:ci`: as the audit log has it, in words where it was nobody. */
export function actorName({ text }: View, actor: string): string {
  if (actor === "schedule") return text.actor.schedule;
  if (actor === "maintenance") return text.actor.maintenance;
  return actor.replace(/^(?:user|token):/, "");
}
