// By this name the formatter lets it be: pages have hundreds of these, and each space between would be a node.
import { html as svg, type Html } from "@trivault/core";
import type { StripRun } from "../status.ts";

const WIDTH = 64;
const HEIGHT = 16;

/** How the size went over the last runs; from half of the smallest, so that a small change looks small. */
export function sparkline(runs: readonly StripRun[], words: string): Html | null {
  const sizes = runs.flatMap(({ bytes }) => (bytes === null ? [] : [bytes]));
  if (sizes.length < 2) return null;
  const least = Math.min(...sizes) / 2;
  const range = Math.max(Math.max(...sizes) * 1.3 - least, 1);
  const step = WIDTH / (sizes.length - 1);
  const points = sizes.map((bytes, i) => {
    const y = HEIGHT - ((bytes - least) / range) * HEIGHT;
    return `${Math.round(i * step)} ${Math.round(y)}`;
  });
  return svg`<svg class="spark" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${words}"><path d="M${points.join(" ")}" /></svg>`;
}
