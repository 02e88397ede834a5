import type { Alert, EndedAlert } from "@trivault/alerts";
import type { AlertsPage, AlertView } from "@trivault/dashboard";
import type { Language } from "@trivault/core";
import type { ApiDeps } from "../deps.ts";

/** The alerts that fire now, the silenced last. */
export function firingAlerts({ alerts }: Pick<ApiDeps, "alerts">, language: Language): AlertView[] {
  const views = alerts.current(language).map((alert) => alertView(alert, null, alert.silence));
  return views.toSorted((a, b) => Number(a.silenced !== null) - Number(b.silenced !== null));
}

export function alertsPageOf(deps: Pick<ApiDeps, "alerts" | "config">, language: Language): AlertsPage {
  const ended = deps.alerts.ended(language).map((alert) => alertView(alert, alert.endedAt, null));
  return { firing: firingAlerts(deps, language), ended, channels: deps.config.monitoring.alerts.channels.length > 0 };
}

function alertView(
  { id, severity, title, text, link, since }: Alert | EndedAlert,
  endedAt: string | null,
  silence: Alert["silence"],
): AlertView {
  return {
    id,
    severity,
    title,
    text: text.split(/\n+/).filter((paragraph) => paragraph !== ""),
    since,
    endedAt,
    href: link,
    silenced: silence && { until: silence.until, reason: silence.reason, by: silence.by.replace(/^\w+:/, "") },
  };
}
