import { html, type Html, type HtmlValue } from "@trivault/core";
import { icon } from "./status.ts";
import type { AssetName, View } from "./view.ts";

export interface Page {
  readonly title: string;
  /** Which entry of the navigation it belongs to. */
  readonly here: "overview" | "tiers" | "alerts" | "audit" | "reports" | null;
  readonly scripts?: readonly AssetName[];
  readonly styles?: readonly AssetName[];
  readonly body: HtmlValue;
}

/** One whole page, as it is sent. */
export function page(view: View, { title, here, scripts = [], styles = [], body }: Page): string {
  const { assetUrl, language, text, notice = null, queueAway = false } = view;
  const document = html`<html lang="${language}">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <title>${title} · Trivault</title>
      <link rel="icon" href="${assetUrl("favicon.svg")}" type="image/svg+xml" />
      ${(["app.css", ...styles] as const).map((name) => html`<link rel="stylesheet" href="${assetUrl(name)}" />`)}
      <script src="${assetUrl("theme.js")}"></script>
      ${(["app.js", ...scripts] as const).map((name) => html`<script src="${assetUrl(name)}" defer></script>`)}
    </head>
    <body data-now="${view.now.toISOString()}" data-words="${wordsOfScripts(view)}">
      ${SPRITE}
      <a class="skip" href="#main">${text.skip}</a>
      ${view.viewer === null ? null : banner(view, here)}
      <main id="main" tabindex="-1">
        <p id="stale" class="notice bad" role="status" hidden></p>
        ${queueAway ? html`<p class="notice warn">${icon("warn")}<span>${text.queueAway}</span></p>` : null}
        ${notice && html`<p class="notice ${notice.tone}" role="status">${icon(notice.tone)}<span>${notice.text}</span></p>`}
        ${body}
      </main>
    </body>
  </html>`;
  return `<!doctype html>${document.markup}`;
}

function banner(view: View, here: Page["here"]): Html {
  const { text, viewer, firing } = view;
  const entry = (name: NonNullable<Page["here"]>, href: string, extra: HtmlValue = null) =>
    html`<a href="${href}" ${name === here ? CURRENT : null}>${text.nav[name]}${extra}</a>`;
  const count =
    firing !== null && firing > 0
      ? html` <span class="count">${firing}<span class="sr"> ${text.nav.firing}</span></span>`
      : null;
  return html`<header class="top">
    <a class="brand" href="/">${LOGO}<span>Trivault</span></a>
    <nav aria-label="${text.nav.label}">
      ${entry("overview", "/")}${entry("tiers", "/tiers")}${entry("alerts", "/alerts", count)}
      ${entry("reports", "/reports")}${entry("audit", "/audit")}<a href="/queues">${text.nav.queues}</a>
    </nav>
    <div class="who">
      <button type="button" class="quiet theme" id="theme" hidden>${text.theme}</button>
      <span class="name">${viewer?.name}</span>
      ${
        viewer?.canSignOut === true
          ? html`<form method="post" action="/logout">
              ${csrfField(view)}<button class="quiet">${text.signOut}</button>
            </form>`
          : null
      }
    </div>
  </header>`;
}

export function csrfField({ viewer }: View): Html | null {
  return viewer && html`<input type="hidden" name="_csrf" value="${viewer.csrf}" />`;
}

/** What the scripts say, in the page's language. */
function wordsOfScripts({ text }: View): string {
  return JSON.stringify(text.script);
}

const CURRENT = html` aria-current="page"`;
const LOGO = html`<svg viewBox="0 0 20 20" aria-hidden="true">
  <path d="M3 3h14v3.6H3zM3 8.2h14v3.6H3zM3 13.4h14V17H3z" />
</svg>`;

/** Shapes, so that nothing is shown by colour alone; `<use>` keeps a page of hundreds of them small. */
const SPRITE = html`<svg class="sprite" aria-hidden="true">
  <symbol id="ok" viewBox="0 0 16 16">
    <circle cx="8" cy="8" r="7" />
    <path class="k" d="M4.7 8.3l2.3 2.3 4.4-4.9" />
  </symbol>
  <symbol id="warn" viewBox="0 0 16 16">
    <path d="M8 .9a1 1 0 0 1 .9.5l6.6 12a1 1 0 0 1-.9 1.5H1.4a1 1 0 0 1-.9-1.5l6.6-12A1 1 0 0 1 8 .9z" />
    <path class="k" d="M8 5.4v4.2M8 12v.1" />
  </symbol>
  <symbol id="bad" viewBox="0 0 16 16">
    <path d="M4.9.8h6.2l4.1 4.1v6.2l-4.1 4.1H4.9L.8 11.1V4.9z" />
    <path class="k" d="M5.3 5.3l5.4 5.4M10.7 5.3l-5.4 5.4" />
  </symbol>
  <symbol id="idle" viewBox="0 0 16 16">
    <circle class="o" cx="8" cy="8" r="6.2" />
    <path class="o" d="M5 8h6" />
  </symbol>
  <symbol id="live" viewBox="0 0 16 16">
    <circle class="o" cx="8" cy="8" r="6.2" />
    <circle cx="8" cy="8" r="3" />
  </symbol>
</svg>`;
