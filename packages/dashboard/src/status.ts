import { html, type Html, type HtmlValue } from "@trivault/core";
import type { DatabaseRow, Overview, Run } from "@trivault/monitor";
import type { Texts } from "./text/en.ts";
import type { View } from "./view.ts";

export type DatabaseHealth = Overview["health"]["databases"][number];
export type DatabaseTierHealth = DatabaseHealth["tiers"][number];
export type TierHealth = Overview["health"]["tiers"][number];
export type StripRun = DatabaseRow["strip"][number];

/** Each has a colour, a shape and, beside it, words. */
export type Tone = "ok" | "warn" | "bad" | "idle" | "live";

export function icon(tone: Tone): Html {
  return html`<svg class="i ${tone}" aria-hidden="true"><use href="#${tone}" /></svg>`;
}

export function badge(tone: Tone, words: HtmlValue): Html {
  return html`<span class="badge ${tone}">${icon(tone)}${words}</span>`;
}

/** How the copies of a database on one tier stand against the objective. */
export function copyStatus(
  text: Texts,
  copy: DatabaseTierHealth,
  tier: Pick<TierHealth, "reachable"> | undefined,
): { readonly tone: Tone; readonly words: string } {
  if (!copy.ok && copy.unknown > 0) return { tone: "bad", words: text.copy.unread(copy.unknown) };
  if (copy.ageSeconds === null) return { tone: "bad", words: text.copy.none };
  if (!copy.ok) return { tone: "bad", words: text.copy.late };
  if (tier?.reachable === false) return { tone: "warn", words: text.copy.unseen };
  if (copy.lacking !== null && copy.lacking > 0) return { tone: "warn", words: text.copy.lacking(copy.lacking) };
  return { tone: "ok", words: text.copy.safe };
}

export function databaseTone(database: DatabaseHealth, tiers: readonly TierHealth[]): Tone {
  if (!database.ok) return "bad";
  const unseen = database.tiers.some(({ tier }) => tiers.find(({ name }) => name === tier)?.reachable === false);
  const lacking = database.tiers.some((copy) => (copy.lacking ?? 0) > 0);
  return unseen || lacking ? "warn" : "ok";
}

const RUN_TONES = { ok: "ok", incomplete: "warn", failed: "bad", running: "live" } as const;

export function runTone(state: Run["state"]): Tone {
  return RUN_TONES[state];
}

export function runBadge({ text }: View, state: Run["state"]): Html {
  return badge(runTone(state), text.runState[state]);
}

/** Reachable, with room, and all that lies there whole. */
export function tierStatus(view: View, tier: TierHealth): { readonly tone: Tone; readonly words: string } {
  const { text } = view;
  if (!tier.reachable) return { tone: "bad", words: text.tier.unreachable };
  if (tier.damaged > 0) return { tone: "bad", words: text.tier.damaged(tier.damaged) };
  if (tier.unknown > 0) return { tone: "warn", words: text.tier.unread(tier.unknown) };
  if (tier.untrusted > 0) return { tone: "warn", words: text.tier.untrusted(tier.untrusted) };
  if (tier.overBudget) return { tone: "warn", words: text.tier.overBudget };
  if (tier.scannedAt === null) return { tone: "idle", words: text.tier.unknown };
  return { tone: "ok", words: text.tier.well };
}
