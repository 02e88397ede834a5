// By this name the formatter lets it be: pages have hundreds of these, and each space between would be a node.
import { html, html as svg, type Html } from "@trivault/core";
import type { StripRun } from "../status.ts";
import type { View } from "../view.ts";

/** Runs shown in a strip; those there are fill it from the right. */
const RUNS = 30;
const PITCH = 4;
const HEIGHT = 16;

/**
 * The last runs as bars, distinguished by height and place as well as by colour: whole ones are tall, incomplete ones lack
 * their foot, failed ones are short and stand on the ground, running ones float. One path per state keeps it small.
 */
export function strip(view: View, runs: readonly StripRun[]): Html {
  const { text } = view;
  if (runs.length === 0) return html`<span class="none">${text.strip.none}</span>`;
  const shown = runs.slice(-RUNS);
  const first = RUNS - shown.length;
  const path = (state: StripRun["state"], bar: string) => {
    const bars = shown.flatMap((run, i) => (run.state === state ? [`M${(first + i) * PITCH + 1.5} ${bar}`] : []));
    return bars.length === 0 ? null : html`<path class="${state}" d="${bars.join("")}" />`;
  };
  const count = (state: StripRun["state"]) => shown.filter((run) => run.state === state).length;
  const words = text.strip.words({
    runs: shown.length,
    failed: count("failed"),
    incomplete: count("incomplete"),
    running: count("running"),
  });
  const bars = [wholeRuns(shown, first), path("incomplete", "1v8"), path("failed", "10v6"), path("running", "5v6")];
  return svg`<svg class="strip" viewBox="0 0 ${RUNS * PITCH} ${HEIGHT}" role="img"><title>${words}</title>${bars}</svg>`;
}

/** Healthy neighbours share one dashed line instead of a bar each. */
function wholeRuns(shown: readonly StripRun[], first: number): Html | null {
  const lines: string[] = [];
  for (let i = 0; i < shown.length; i++) {
    if (shown[i]?.state !== "ok") continue;
    const from = i;
    while (shown[i + 1]?.state === "ok") i++;
    lines.push(`M${(first + from) * PITCH} 8.5H${(first + i) * PITCH + 3}`);
  }
  return lines.length === 0 ? null : html`<path class="ok" d="${lines.join("")}" />`;
}
