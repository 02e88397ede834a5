import { type Alert, listAlerts } from "@trivault/alerts";
import type { AlertsPage, AlertView } from "@trivault/dashboard";
import type { ApiDeps } from "../deps.ts";

const DAY_MS = 86_400_000;
const ENDED_DAYS = 7;
const MOST_ENDED = 50;

/** What is told now, the silenced last; null where that cannot be known. */
export async function firingAlerts({ config, log }: Pick<ApiDeps, "config" | "log">): Promise<AlertView[] | null> {
  try {
    const alerts = (await listAlerts(config, new Date())).map(alertView);
    return alerts.toSorted((a, b) => Number(a.silenced !== null) - Number(b.silenced !== null));
  } catch (error) {
    log.warn({ err: error }, "the alerts cannot be listed");
    return null;
  }
}

export async function alertsPageOf(deps: ApiDeps): Promise<AlertsPage | null> {
  const firing = await firingAlerts(deps);
  if (firing === null) return null;
  const { channels } = deps.config.monitoring.alerts;
  return { firing, ended: await endedAlerts(deps), channels: channels.length > 0 };
}

function alertView({ id, severity, title, text, link, since, silence }: Alert): AlertView {
  return {
    id,
    severity,
    title,
    text: text.split(/\n+/).filter((paragraph) => paragraph !== ""),
    since,
    endedAt: null,
    href: link,
    silenced: silence && {
      until: silence.until,
      reason: silence.reason,
      by: silence.by.replace(/^(?:user|token):/, ""),
    },
  };
}

/** From the record, newest first. */
async function endedAlerts({ audit }: Pick<ApiDeps, "audit">): Promise<AlertView[]> {
  const ended: { readonly id: string; readonly view: AlertView }[] = [];
  const waiting = new Map<string, number>();
  const from = new Date(Date.now() - ENDED_DAYS * DAY_MS);
  const actions = ["alert.raised", "alert.resolved"] as const;
  for await (const { action, seq, at, details = {} } of audit.query({ action: actions, from }, "newest-first")) {
    const { alert, title, severity } = details;
    const id = String(alert);
    const index = waiting.get(id);
    if (action === "alert.raised") {
      const resolved = index === undefined ? undefined : ended[index];
      waiting.delete(id);
      if (resolved && index !== undefined) ended[index] = { id, view: { ...resolved.view, since: at.toISOString() } };
      continue;
    }
    if (ended.length === MOST_ENDED) continue;
    waiting.set(id, ended.length);
    const view: AlertView = {
      id: String(seq),
      severity: severity === "critical" ? "critical" : "warning",
      title: typeof title === "string" ? title : id,
      text: [],
      // Unless the record tells when it began: earlier than these days.
      since: from.toISOString(),
      endedAt: at.toISOString(),
      href: null,
      silenced: null,
    };
    ended.push({ id, view });
  }
  return ended.map(({ view }) => view);
}
