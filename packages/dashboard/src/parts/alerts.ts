import { html, type Html } from "@trivault/core";
import { csrfField } from "../layout.ts";
import { icon } from "../status.ts";
import { prose } from "./prose.ts";
import { ago, time, urls, type View } from "../view.ts";

/** An alert as it is shown: what happened, since when, what is still safe, what to do. */
export interface AlertView {
  readonly id: string;
  readonly severity: "warning" | "critical";
  readonly title: string;
  readonly since: string;
  readonly endedAt: string | null;
  /** A paragraph each. */
  readonly text: readonly string[];
  /** A page of ours that shows more. */
  readonly href: string | null;
  readonly silenced: { readonly until: string; readonly reason: string; readonly by: string } | null;
}

/** `folded`: each in two lines, what more there is to say a click away. */
export function alertList(
  view: View,
  alerts: readonly AlertView[],
  { folded }: { readonly folded: boolean } = { folded: false },
): Html {
  return html`<ul class="alerts" aria-label="${view.text.alerts.firing}">
    ${alerts.map((alert) => alertItem(view, alert, folded))}
  </ul>`;
}

function alertItem(view: View, alert: AlertView, folded: boolean): Html {
  const { text } = view;
  const tone = alert.endedAt !== null ? "ok" : alert.silenced ? "idle" : alert.severity === "critical" ? "bad" : "warn";
  const paragraphs = alert.text.map((paragraph) => html`<p>${prose(paragraph)}</p>`);
  return html`<li class="alert ${tone}">
    ${icon(tone)}
    <div>
      <p class="what">${alert.href === null ? alert.title : html`<a href="${alert.href}">${alert.title}</a>`}</p>
      <p class="when">
        ${text.alerts.severity[alert.severity]} · ${text.since} ${time(view, alert.since)}
        (${ago(view, alert.since)})${
          alert.endedAt === null ? null : html` · ${text.alerts.ended} ${time(view, alert.endedAt)}`
        }
      </p>
      ${
        folded
          ? html`<details class="more-of">
              <summary>${text.alerts.whatToDo}</summary>
              ${paragraphs}
            </details>`
          : paragraphs
      }
      ${alert.silenced && html`<p class="when">${text.alerts.silenced(alert.silenced.by, alert.silenced.reason)} ${time(view, alert.silenced.until)}</p>`}
    </div>
    ${view.viewer?.mayOperate === true && alert.endedAt === null ? silenceForm(view, alert) : null}
  </li>`;
}

function silenceForm(view: View, alert: AlertView): Html {
  const { text } = view;
  if (alert.silenced) {
    return html`<form method="post" action="${urls.alert(alert.id)}/unsilence">
      ${csrfField(view)}<button class="quiet">${text.alerts.unsilence}</button>
    </form>`;
  }
  return html`<details class="act">
    <summary>${text.alerts.silence}</summary>
    <form method="post" action="${urls.alert(alert.id)}/silence" class="inline">
      ${csrfField(view)}
      <label>${text.alerts.reason} <input name="reason" required maxlength="200" /></label>
      <label
        >${text.alerts.howLong}
        <select name="hours">
          ${[1, 4, 24, 72, 168].map((hours) => html`<option value="${hours}" ${hours === 4 ? SELECTED : null}>${view.format.duration(hours * 3600)}</option>`)}
        </select></label
      >
      <button>${text.alerts.silence}</button>
    </form>
  </details>`;
}

const SELECTED = html` selected`;
