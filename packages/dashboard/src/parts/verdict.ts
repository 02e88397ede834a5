import { html, type Html, join } from "@trivault/core";
import type { Overview } from "@trivault/monitor";
import { type DatabaseHealth, databaseTone, icon, type Tone } from "../status.ts";
import { time, urls, type View } from "../view.ts";
import { orphanTone, orphanWords } from "./orphans.ts";

/** Problems that the sentence names one by one; the table below has all. */
const MOST = 3;
/** What was computed longer ago than this is said to be old. */
const OLD_SECONDS = 300;

/** The one sentence above all: how many are safe, which is not, since when. */
export function verdict(view: View, overview: Overview): Html {
  const { text } = view;
  const { databases, tiers } = overview.health;
  const down = tiers.filter(({ reachable }) => !reachable);
  const bad = databases.filter(({ ok }) => !ok);
  const vanished = overview.health.orphans.filter((orphan) => orphanTone(orphan) === "bad");
  const details = [
    ...vanished.slice(0, MOST).map((orphan) => {
      return html`<a href="${urls.database(orphan.name)}">${orphan.name}</a> ${orphanWords(view, orphan)}`;
    }),
    ...(vanished.length > MOST ? [html`${text.verdict.more(vanished.length - MOST)}`] : []),
    ...bad.slice(0, MOST).map((database) => problemOf(view, database)),
    ...(bad.length > MOST ? [html`${text.verdict.more(bad.length - MOST)}`] : []),
    ...down.map(({ name, unreachableSince }) => tierDown(view, name, unreachableSince)),
  ];
  return html`<section id="verdict" class="verdict ${verdictTone(overview)}" aria-label="${text.verdict.label}">
    ${icon(verdictTone(overview))}
    <div>
      <h1>${headline(view, overview)}</h1>
      ${details.length === 0 ? null : html`<p>${join(details, "; ")}.</p>`}
      <p class="asof">
        ${text.verdict.asOf}
        ${time(view, overview.at)}${isOld(view, overview) ? html` <strong>${text.verdict.old}</strong>` : null}
      </p>
    </div>
  </section>`;
}

export function verdictTone({ health }: Overview): Tone {
  if (health.databases.length === 0 && health.orphans.every((orphan) => orphanTone(orphan) !== "bad")) return "idle";
  if (!health.ok) return "bad";
  const tones = health.databases.map((database) => databaseTone(database, health.tiers));
  return tones.every((tone) => tone === "ok") && health.tiers.every(({ reachable }) => reachable) ? "ok" : "warn";
}

/** What is not seen is not said to be safe there: the sentence names tiers that cannot be reached after it. */
function headline({ text }: View, { health: { databases, tiers: all, orphans } }: Overview): string {
  const count = databases.length + orphans.filter((orphan) => orphanTone(orphan) === "bad").length;
  if (count === 0) return text.verdict.noDatabase;
  const seen = new Set(all.filter(({ reachable }) => reachable).map(({ name }) => name));
  if (seen.size === 0) return text.verdict.noTier;
  const good = databases.filter(({ ok }) => ok).length;
  const seenOf = databases.map(({ tiers }) => tiers.map(({ tier }) => tier).filter((tier) => seen.has(tier)));
  const sets = new Set(seenOf.map((tiers) => tiers.join("\n")));
  const where = text.verdict.where(sets.size === 1 ? (seenOf[0]?.length ?? 0) : null, seen.size < all.length);
  if (count > 1 || databases.length === 0) return text.verdict.many(good, count, where);
  return text.verdict.one(databases[0]?.name ?? "", good === 1, where);
}

/** Said from the facts and not taken from the report, whose sentence is English. */
export function problemOf(view: View, database: DatabaseHealth): Html {
  const link = html`<a href="${urls.database(database.name)}">${database.name}</a>`;
  return html`${link} ${problemWords(view, database)}`;
}

export function problemWords(view: View, { tiers }: DatabaseHealth): Html {
  const { text } = view;
  const bad = tiers.filter(({ ok }) => !ok);
  if (bad.length === tiers.length && bad.every(({ newestBackupId }) => newestBackupId === null)) {
    return html`${text.verdict.noBackup}`;
  }
  const byAge = Map.groupBy(bad, ({ ageSeconds }) => ageSeconds);
  const parts = [...byAge].map(([age, those]) => {
    const where = text.either(those.map(({ tier }) => tier));
    if (age === null) return html`${text.verdict.noCopy(where)}`;
    return html`${text.verdict.noNewCopy(where)} ${time(view, new Date(view.now.getTime() - age * 1000).toISOString())}`;
  });
  return html`${join(parts, text.and)}`;
}

function tierDown(view: View, name: string, since: string | null): Html {
  const { text } = view;
  const link = html`<a href="${urls.tier(name)}">${name}</a>`;
  return html`${link} ${text.verdict.unreachable}${since === null ? null : html` ${text.since} ${time(view, since)}`}`;
}

function isOld({ now }: View, { at }: Overview): boolean {
  return now.getTime() - Date.parse(at) > OLD_SECONDS * 1000;
}
