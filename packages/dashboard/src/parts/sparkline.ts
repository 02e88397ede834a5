import { html, type Html } from "../html.ts";
import type { StripRun } from "../status.ts";

const WIDTH = 64;
const HEIGHT = 16;

/** How the size went over the last runs; from nought, so that a small change looks small. */
export function sparkline(runs: readonly StripRun[], words: string): Html | null {
  const sizes = runs.flatMap(({ bytes }) => (bytes === null ? [] : [bytes]));
  if (sizes.length < 2) return null;
  const most = Math.max(...sizes, 1);
  const step = WIDTH / (sizes.length - 1);
  const points = sizes.map(
    (bytes, i) => `${Math.round(i * step)} ${Math.round(HEIGHT - 1 - (bytes / most) * (HEIGHT - 3))}`,
  );
  return html`<svg class="spark" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${words}">
    <path d="M${points.join(" ")}" />
  </svg>`;
}
