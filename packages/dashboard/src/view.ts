import { html, type Html, type Language } from "@trivault/core";
import { type Format, formatFor, type TimeKind } from "./format.ts";
import { en, type Texts } from "./text/en.ts";
import { fr } from "./text/fr.ts";

export const TEXTS: Readonly<Record<Language, Texts>> = { en, fr };

/** Files that pages load; whoever serves them says where each is, with a hash of its content. */
export const ASSETS = [
  "app.css",
  "app.js",
  "charts.js",
  "favicon.svg",
  "live.js",
  "theme.js",
  "uPlot.css",
  "uPlot.js",
] as const;
export type AssetName = (typeof ASSETS)[number];

/** Who looks. Nothing that they may not do is shown to them. */
export interface Viewer {
  readonly name: string;
  readonly mayOperate: boolean;
  readonly mayAdminister: boolean;
  /** What a form has to carry to be believed. */
  readonly csrf: string;
  readonly canSignOut: boolean;
}

export interface ViewOptions {
  readonly language: Language;
  readonly now: Date;
  readonly assetUrl: (name: AssetName) => string;
  /** Null on the page that asks who it is. */
  readonly viewer: Viewer | null;
  /** How many alerts are firing; null where none are looked for. */
  readonly firing: number | null;
  /** Nothing can be started while the queue is away. */
  readonly queueAway?: boolean;
  /** Shown once above the page: the outcome of an action. */
  readonly notice?: Notice | null;
}

export interface Notice {
  readonly tone: "ok" | "bad";
  readonly text: string;
}

/** All that pages have in common. */
export interface View extends ViewOptions {
  readonly text: Texts;
  readonly format: Format;
}

export function createView(options: ViewOptions): View {
  return { ...options, text: TEXTS[options.language], format: formatFor(options.language) };
}

/** In UTC; assets/app.js turns it into the viewer's zone, with UTC on hover. */
export function time(view: View, iso: string, kind: TimeKind = "smart"): Html {
  const words = view.format.time(iso, kind, view.now);
  const short = iso.replace(/:00(?:\.000)?Z$/, "Z").replace(/\.\d+Z$/, "Z");
  return kind === "smart"
    ? html`<time datetime="${short}">${words}</time>`
    : html`<time datetime="${short}" data-f="${kind}">${words}</time>`;
}

/** `3 h ago`, with the time itself on hover. */
export function ago(view: View, iso: string): Html {
  const seconds = Math.max(0, (view.now.getTime() - Date.parse(iso)) / 1000);
  return html`<time datetime="${iso}" data-f="ago">${view.text.ago(view.format.age(seconds))}</time>`;
}

/** Names may hold anything that a file name may. */
export const urls = {
  database: (name: string) => `/databases/${encodeURIComponent(name)}`,
  backup: (id: string) => `/backups/${encodeURIComponent(id)}`,
  alert: (id: string) => `/alerts/${encodeURIComponent(id)}`,
  tier: (name: string) => `/tiers/${encodeURIComponent(name)}`,
  job: (queue: string, id: string) => `/queues/queue/${encodeURIComponent(queue)}/${encodeURIComponent(id)}`,
};
