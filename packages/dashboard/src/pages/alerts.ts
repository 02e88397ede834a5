import { html } from "@trivault/core";
import { page } from "../layout.ts";
import { alertList, type AlertView } from "../parts/alerts.ts";
import { icon } from "../status.ts";
import type { View } from "../view.ts";

export interface AlertsPage {
  readonly firing: readonly AlertView[];
  /** Lately ended, newest first. */
  readonly ended: readonly AlertView[];
  /** False: nobody would get a message. */
  readonly channels: boolean;
}

export function alertsPage(view: View, alerts: AlertsPage): string {
  const { text } = view;
  const none = html`<p class="calm">${icon("ok")}${text.alerts.none}</p>`;
  return page(view, {
    title: text.nav.alerts,
    here: "alerts",
    body: html`<div data-refresh="20">
      <h1>${text.nav.alerts}</h1>
      ${alerts.channels ? null : html`<p class="notice warn">${icon("warn")}<span>${text.alerts.noChannel}</span></p>`}
      <section id="alerts" aria-labelledby="firing">
        <h2 id="firing">${text.alerts.firing}</h2>
        ${alerts.firing.length === 0 ? none : alertList(view, alerts.firing)}
      </section>
      <section id="ended">
        <h2>${text.alerts.endedLately}</h2>
        ${alerts.ended.length === 0 ? html`<p class="none">${text.alerts.noneEnded}</p>` : alertList(view, alerts.ended)}
      </section>
    </div>`,
  });
}
