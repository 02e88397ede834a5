import { type CopyState, html, type Html, type HtmlValue } from "@trivault/core";
import type { RunState, StageView } from "@trivault/monitor";
import { csrfField, page } from "../layout.ts";
import { type LogLine, logTable } from "../parts/log-table.ts";
import { actorName } from "../parts/runs-table.ts";
import { prose } from "../parts/prose.ts";
import { stageCard } from "../parts/stage-card.ts";
import { badge, icon, type Tone } from "../status.ts";
import { time, urls, type View } from "../view.ts";

/** One backup: as its jobs report it while they run, as the audit log shows it afterwards, and as it is on the tiers. */
export interface BackupView {
  readonly id: string;
  readonly database: string;
  readonly startedAt: string;
  readonly state: RunState;
  readonly actor: string | null;
  readonly seconds: number | null;
  readonly stages: readonly StageView[];
  readonly copies: readonly CopyView[];
  readonly manifest: ManifestView | null;
  readonly log: readonly LogLine[];
  /** The reason of a keep mark. */
  readonly keep: string | null;
  readonly restoreCommand: string;
  readonly problem: string | null;
  /** What could not be asked, in a sentence. */
  readonly note: string | null;
}

export interface CopyView {
  readonly tier: string;
  readonly state: CopyState | "absent";
  readonly bytes: number | null;
  readonly segments: number | null;
  readonly reasons: readonly string[];
}

export interface ManifestView {
  readonly completedAt: string;
  readonly server: string;
  readonly tools: Readonly<Record<string, string>>;
  readonly encryption: "age" | "none";
  readonly recipients: number;
  readonly segments: number;
  readonly bytes: number;
  readonly plainBytes: number;
  readonly signedBy: string | null;
}

const TONES: Readonly<Record<RunState, Tone>> = {
  queued: "live",
  running: "live",
  ok: "ok",
  incomplete: "warn",
  failed: "bad",
  unknown: "idle",
};

export function backupPage(view: View, backup: BackupView): string {
  const { text, format } = view;
  const moving = backup.state === "queued" || backup.state === "running";
  return page(view, {
    title: `${backup.database}, ${backup.id}`,
    here: "overview",
    scripts: ["live.js"],
    body: html`<div data-refresh="${moving ? 5 : 30}" data-live="${moving || view.notice ? 1 : 0}">
      <section id="verdict" class="title">
        <div>
          <p class="crumb">
            <a href="/">${text.nav.overview}</a> › <a href="${urls.database(backup.database)}">${backup.database}</a>
          </p>
          <h1>
            ${backup.database}, ${time(view, backup.startedAt, "full")}
            ${badge(TONES[backup.state], text.backupState[backup.state])}
          </h1>
          <p>
            <span class="id">${backup.id}</span
            >${backup.actor === null ? null : html` · ${text.backup.startedBy(actorName(view, backup.actor))}`}${backup.seconds === null || moving ? null : html` · ${text.backup.took(format.duration(backup.seconds))}`}
          </p>
          ${backup.keep !== null && html`<p class="kept">${icon("ok")}${text.keep.kept(backup.keep)}</p>`}
          ${backup.problem && html`<p class="problem">${prose(backup.problem)}</p>`}
          ${backup.note && html`<p class="none">${backup.note}</p>`}
        </div>
      </section>
      ${moving ? null : actions(view, backup)}
      <section id="stages" aria-label="${text.backup.stages}">
        <ol class="stages" ${moving ? html`data-moving="1"` : null}>
          ${backup.stages.map((stage) => stageCard(view, stage, moving))}
        </ol>
      </section>
      ${backup.copies.length === 0 ? null : copies(view, backup)} ${backup.manifest && manifest(view, backup.manifest)}
      ${moving || !mayLieSomewhere(backup) ? null : restoreCommand(view, backup)}
      <section id="log" aria-labelledby="log-title">
        <h2 id="log-title">${text.backup.log}</h2>
        ${backup.log.length === 0 ? html`<p class="none">${text.backup.noLog}</p>` : logTable(view, backup.log, { backup: false })}
      </section>
    </div>`,
  });
}

/** Not known for a tier that is not seen. */
function mayLieSomewhere({ copies: those }: BackupView): boolean {
  return those.some(({ state }) => state === "complete" || state === "unknown");
}

const COPY_TONES: Readonly<Record<CopyView["state"], Tone>> = {
  complete: "ok",
  damaged: "bad",
  untrusted: "warn",
  partial: "live",
  absent: "idle",
  unknown: "idle",
};

function copies(view: View, backup: BackupView): Html {
  const { text, format } = view;
  const whole = backup.manifest?.segments ?? null;
  return html`<section id="copies" aria-labelledby="copies-title">
    <h2 id="copies-title">${text.database.copies}</h2>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">${text.nav.tier}</th>
            <th scope="col">${text.database.state}</th>
            <th scope="col" class="num">${text.backup.objects}</th>
            <th scope="col" class="num">${text.overview.size}</th>
            <th scope="col">${text.backup.why}</th>
          </tr>
        </thead>
        <tbody>
          ${backup.copies.map(
            (copy) =>
              html`<tr>
                <th scope="row"><a href="${urls.tier(copy.tier)}">${copy.tier}</a></th>
                <td data-l="${text.database.state}">${badge(COPY_TONES[copy.state], text.copyState[copy.state])}</td>
                <td data-l="${text.backup.objects}" class="num">
                  ${copy.segments === null ? "–" : whole === null ? format.count(copy.segments) : text.backup.of(copy.segments, whole)}
                </td>
                <td data-l="${text.overview.size}" class="num">
                  ${copy.bytes === null ? "–" : format.bytes(copy.bytes)}
                </td>
                <td data-l="${text.backup.why}">${copy.reasons.length === 0 ? "–" : copy.reasons.join(", ")}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`;
}

function manifest(view: View, manifestOf: ManifestView): Html {
  const { text, format } = view;
  const row = (name: string, value: HtmlValue) =>
    html`<div>
      <dt>${name}</dt>
      <dd>${value}</dd>
    </div>`;
  return html`<section id="manifest" aria-labelledby="manifest-title">
    <h2 id="manifest-title">${text.backup.manifest}</h2>
    <dl class="pairs">
      ${row(text.backup.completed, time(view, manifestOf.completedAt))} ${row(text.backup.server, manifestOf.server)}
      ${row(
        text.backup.tools,
        Object.entries(manifestOf.tools)
          .map(([name, version]) => `${name} ${version}`)
          .join(", "),
      )}
      ${row(text.backup.encryption, manifestOf.encryption === "age" ? text.backup.sealed(manifestOf.recipients) : text.backup.plain)}
      ${row(text.backup.segmentCount, format.count(manifestOf.segments))}
      ${row(text.overview.size, html`${format.bytes(manifestOf.bytes)} · ${text.backup.opensTo(format.bytes(manifestOf.plainBytes))}`)}
      ${row(text.backup.signed, manifestOf.signedBy === null ? text.backup.unsigned : html`<code>${manifestOf.signedBy}</code>`)}
    </dl>
  </section>`;
}

function restoreCommand({ text }: View, { restoreCommand: command }: BackupView): Html {
  return html`<section id="restore" aria-labelledby="restore-title">
    <h2 id="restore-title">${text.backup.restoreByHand}</h2>
    <p>${text.backup.restoreHint}</p>
    <div class="copy">
      <pre tabindex="0"><code id="command">${command}</code></pre>
      <button type="button" data-copy="command" hidden>${text.backup.copy}</button>
    </div>
  </section>`;
}

function actions(view: View, backup: BackupView): Html | null {
  const { text, viewer } = view;
  if (viewer?.mayOperate !== true) return null;
  const url = urls.backup(backup.id);
  const complete = backup.copies.some(({ state }) => state === "complete");
  return html`<div class="actions" role="group" aria-label="${text.action.label}">
    ${complete ? html`<a class="button main" href="${url}/restore">${text.action.restore}</a>` : null}
    ${complete ? html`<form method="post" action="${url}/verify">${csrfField(view)}<button>${text.action.verify}</button></form>` : null}
    ${backup.keep !== null ? unkeepForm(view, url) : mayLieSomewhere(backup) ? keepForm(view, url) : null}
  </div>`;
}

function keepForm(view: View, url: string): Html {
  const { text } = view;
  return html`<details class="act">
    <summary class="button">${text.action.keep}</summary>
    <form method="post" action="${url}/keep" class="inline">
      ${csrfField(view)} <label>${text.alerts.reason} <input name="reason" required maxlength="200" /></label
      ><button>${text.action.keepIt}</button>
    </form>
  </details>`;
}

function unkeepForm(view: View, url: string): Html {
  return html`<form method="post" action="${url}/unkeep">
    ${csrfField(view)}<button>${view.text.action.unkeep}</button>
  </form>`;
}
