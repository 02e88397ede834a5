import { html, type Html } from "@trivault/core";
import type { Overview } from "@trivault/monitor";
import { csrfField } from "../layout.ts";
import { icon, type Tone } from "../status.ts";
import { ago, urls, type View } from "../view.ts";

export type Orphan = Overview["health"]["orphans"][number];

export function orphanTone({ reason, acknowledged }: Orphan): Tone {
  return reason === "gone" && acknowledged === null ? "bad" : "idle";
}

/** `gone from main since 3 h ago, 2 backups`. */
export function orphanWords(view: View, orphan: Orphan): Html {
  const { text } = view;
  const { reason, server, since, acknowledged, backups } = orphan;
  const what =
    reason === "gone"
      ? text.orphan.gone(server ?? "")
      : reason === "restored-into"
        ? text.orphan.restoredInto
        : text.orphan.notConfigured;
  const when = since === null ? null : html` ${ago(view, since)}`;
  const noted = acknowledged === null ? null : html` · ${text.orphan.acknowledged(acknowledged.by)}`;
  return html`${what}${when} · ${text.orphan.backups(backups)}${noted}`;
}

/** What nobody backs up: what became of it, what is left of it, and what can be done. */
export function orphanList(view: View, orphans: readonly Orphan[]): Html | null {
  const { text } = view;
  if (orphans.length === 0) return null;
  return html`<section id="orphans" aria-labelledby="orphans-title">
    <h2 id="orphans-title">${text.orphan.title}</h2>
    <ul class="alerts">
      ${orphans.map(
        (orphan) =>
          html`<li class="alert ${orphanTone(orphan)}">
            ${icon(orphanTone(orphan))}
            <div>
              <p class="what"><a href="${urls.database(orphan.name)}">${orphan.name}</a></p>
              <p class="when">${orphanWords(view, orphan)}</p>
            </div>
            ${orphanActions(view, orphan)}
          </li>`,
      )}
    </ul>
  </section>`;
}

export function orphanActions(view: View, { name, reason, acknowledged, newestBackupId: newest }: Orphan): Html | null {
  const { text, viewer } = view;
  if (viewer?.mayOperate !== true) return null;
  const database = urls.database(name);
  return html`<div class="actions" role="group" aria-label="${text.action.label}">
    ${newest && html`<a class="button" href="${urls.backup(newest)}/restore">${text.action.restore}</a>`}
    ${
      reason === "gone" && acknowledged === null
        ? html`<form method="post" action="${database}/acknowledge">
            ${csrfField(view)}<button>${text.orphan.acknowledge}</button>
          </form>`
        : null
    }
    ${viewer.mayAdminister && newest ? html`<a class="button" href="${database}/discard">${text.orphan.discard}</a>` : null}
  </div>`;
}
