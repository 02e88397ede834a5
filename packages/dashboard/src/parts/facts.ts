import { html, type Html, type HtmlValue } from "@trivault/core";

export interface Fact {
  readonly name: string;
  readonly value: HtmlValue;
  readonly note?: HtmlValue;
}

/** A few numbers that one looks for first. */
export function facts(all: readonly Fact[]): Html {
  return html`<dl class="numbers">
    ${all.map(
      ({ name, value, note = null }) =>
        html`<div>
          <dt>${name}</dt>
          <dd>${value}${note !== null && html`<small>${note}</small>`}</dd>
        </div>`,
    )}
  </dl>`;
}
