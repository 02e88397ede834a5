import type { AlertDesk } from "@trivault/alerts";
import { asOf, type Site } from "@trivault/dashboard/fixtures";
import type { Observer } from "@trivault/monitor";
import { quietDesk } from "./quiet-desk.ts";

/** What an observer would show of a made-up site. */
export function observerOf(fixture: Site): Observer {
  const site = asOf(fixture, new Date());
  return {
    overview: async () => site.overview,
    database: async (name) => site.databases.find(({ health }) => health.name === name) ?? null,
    tier: async (name) => site.tiers.find(({ health }) => health.name === name) ?? null,
    run: async (id) => site.databases.flatMap(({ runs }) => runs).find(({ backupId }) => backupId === id) ?? null,
    refresh: async () => undefined,
    onLook: () => undefined,
    close: async () => undefined,
  };
}

/** A desk with the alerts of a made-up site. */
export function deskOf(fixture: Site): AlertDesk {
  const { alerts } = asOf(fixture, new Date());
  const firing = alerts.map(({ id, severity, title, text, href, since, silenced }) => ({
    id,
    rule: "tier-unreachable" as const,
    severity,
    title,
    text: text.join("\n\n"),
    facts: [],
    link: href,
    members: [],
    since,
    raisedAt: since,
    toldAt: since,
    silence: silenced && { ...silenced, at: since },
  }));
  const [first] = firing;
  const ended = first === undefined ? [] : [{ ...first, endedAt: new Date().toISOString() }];
  return { ...quietDesk, current: () => firing, ended: () => ended };
}
