import { html, type Html, type HtmlValue } from "@trivault/core";
import type { RetentionRow } from "@trivault/monitor";
import { icon, type Tone } from "../status.ts";
import { time, urls, type View } from "../view.ts";

type Placed = RetentionRow["tiers"][number];

/** Every backup, newest first, with what becomes of each of its copies and why. */
export function retentionList(view: View, rows: readonly RetentionRow[], tiers: readonly string[]): Html {
  const { text, format } = view;
  const seen = new Set<string>();
  return html`<div class="scroll">
    <table class="retention">
      <thead>
        <tr>
          <th scope="col">${text.run.started}</th>
          <th scope="col" class="num">${text.overview.size}</th>
          ${tiers.map((tier) => html`<th scope="col">${tier}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map((row) => {
          const day = row.startedAt.slice(0, 10);
          const id = seen.has(day) ? null : html` id="d${day}"`;
          seen.add(day);
          return html`<tr${id}><th scope="row"><a href="${urls.backup(row.backupId)}">${time(view, row.startedAt)}</a>${row.keep !== null && html`<small class="kept">${text.keep.kept(row.keep)}</small>`}</th>
        <td data-l="${text.overview.size}" class="num">${format.bytes(row.bytes)}</td>
        ${tiers.map((tier) =>
          placeCell(
            view,
            tier,
            row.tiers.find((each) => each.tier === tier),
          ),
        )}</tr>`;
        })}
      </tbody>
    </table>
  </div>`;
}

function placeCell(view: View, tier: string, placed: Placed | undefined): Html {
  const { text } = view;
  if (placed === undefined || (placed.state === "absent" && placed.action !== "copy")) {
    return html`<td data-l="${tier}" class="none">–</td>`;
  }
  const words = placed.state === "absent" ? text.copyState.coming : text.copyState[placed.state];
  const what = placed.action === "delete" ? html`<small>${goes(view, placed.heldUntil)}</small>` : null;
  const why = placed.reasons.length === 0 ? null : html`<small>${placed.reasons.join(", ")}</small>`;
  return html`<td data-l="${tier}">${icon(placeTone(placed))}${words}${what}${why}</td>`;
}

function goes(view: View, heldUntil: string | null): HtmlValue {
  if (heldUntil === null) return view.text.calendar.goes;
  return html`${view.text.calendar.heldUntil} ${time(view, heldUntil)}`;
}

function placeTone({ state, action }: Placed): Tone {
  if (state === "absent" || state === "partial") return "live";
  if (state === "damaged") return "bad";
  if (state === "untrusted" || state === "unknown") return "warn";
  return action === "delete" ? "idle" : "ok";
}
