import { html, type Html } from "@trivault/core";
import type uPlot from "uplot";

export interface Chart {
  readonly title: string;
  readonly unit: "bytes" | "seconds";
  /** Unix seconds, ascending. */
  readonly x: readonly number[];
  readonly series: readonly { readonly name: string; readonly y: readonly (number | null)[] }[];
}

/** assets/charts.js draws it with uPlot; without scripts the tables of the page show the same. */
export function chart({ title, unit, x, series }: Chart): Html {
  const data: uPlot.AlignedData = [x.map(Math.round), ...series.map(({ y }) => [...y])];
  const shown = JSON.stringify({ unit, names: series.map(({ name }) => name), data });
  return html`<figure class="chart">
    <figcaption>${title}</figcaption>
    <div class="plot" role="img" aria-label="${title}" data-chart="${shown}"></div>
  </figure>`;
}
