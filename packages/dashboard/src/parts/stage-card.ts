import { html, type Html, type HtmlValue } from "@trivault/core";
import type { StageView } from "@trivault/monitor";
import { icon, type Tone } from "../status.ts";
import { urls, type View } from "../view.ts";
import { prose } from "./prose.ts";

const STAGE_TONES: Readonly<Record<StageView["state"], Tone>> = {
  waiting: "idle",
  active: "live",
  retrying: "warn",
  completed: "ok",
  failed: "bad",
};

/** `moving`: its run goes on. In one that does not, waiting stages were never begun. */
export function stageCard(view: View, stage: StageView, moving: boolean): Html {
  const { text, format } = view;
  const tone = STAGE_TONES[stage.state];
  const rate =
    stage.bytes !== null && stage.seconds !== null && stage.seconds > 0 && stage.state === "completed"
      ? `${format.bytes(stage.bytes / stage.seconds)}/s`
      : null;
  const name = stage.tier === null ? text.stage[stage.stage] : text.copyTo(stage.tier);
  const details: HtmlValue[] = [
    stage.bytes === null
      ? null
      : html`<span class="bytes"
          >${format.bytes(stage.bytes)}${stage.state === "active" && totalWords(view, stage)}</span
        >`,
    html`<span class="rate">${rate}</span>`,
    html`<span class="left"
      >${stage.seconds !== null && stage.state === "completed" ? format.duration(stage.seconds) : null}</span
    >`,
    stage.segments === null ? null : html`<span class="segments">${text.backup.segments(stage.segments)}</span>`,
    stage.job && html`<a class="job" href="${urls.job(stage.job.queue, stage.job.id)}">${text.backup.job}</a>`,
  ];
  return html`<li
    class="stage ${tone}"
    data-stage="${stage.tier ?? stage.stage}"
    data-state="${stage.state}"
    data-total="${stage.total?.bytes ?? ""}"
    data-guessed="${stage.total?.guessed === true ? 1 : ""}"
  >
    <span class="head"
      >${icon(tone)}<strong>${name}</strong
      ><span class="state"
        >${stage.state === "waiting" && !moving ? text.backup.notBegun : text.stageState[stage.state]}</span
      ></span
    >
    ${progress(stage, name)}
    <span class="facts">${details}</span>
    ${stage.attempts > 1 ? html`<small>${text.run.attempts(stage.attempts)}</small>` : null}
    ${stage.problem && html`<small class="problem">${prose(stage.problem)}</small>`}
  </li>`;
}

function totalWords({ text, format }: View, { total }: StageView): string | null {
  if (total === null) return null;
  const bytes = format.bytes(total.bytes);
  return ` / ${total.guessed ? text.backup.aboutBytes(bytes) : bytes}`;
}

/** A guess is never shown as reached. */
function progress({ state, bytes, total }: StageView, name: string): Html {
  if (state === "completed") return html`<progress max="1" value="1" aria-label="${name}"></progress>`;
  if (state !== "active") return html`<progress max="1" value="0" aria-label="${name}"></progress>`;
  if (total === null || total.bytes === 0) return html`<progress aria-label="${name}"></progress>`;
  const most = total.guessed ? Math.round(total.bytes * 0.97) : total.bytes;
  return html`<progress max="${total.bytes}" value="${Math.min(bytes ?? 0, most)}" aria-label="${name}"></progress>`;
}
