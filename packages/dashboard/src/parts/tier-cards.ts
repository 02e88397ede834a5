import { html, type Html } from "@trivault/core";
import type { TierRow } from "@trivault/monitor";
import { badge, type TierHealth, tierStatus } from "../status.ts";
import { time, urls, type View } from "../view.ts";

/** The places themselves, in brief. */
export function tierCards(view: View, tiers: readonly TierHealth[], rows: readonly TierRow[]): Html {
  return html`<section id="tiers" class="cards" aria-label="${view.text.nav.tiers}">
    ${tiers.map((tier) =>
      card(
        view,
        tier,
        rows.find(({ name }) => name === tier.name),
      ),
    )}
  </section>`;
}

function card(view: View, tier: TierHealth, row: TierRow | undefined): Html {
  const { text, format } = view;
  const { tone, words } = tierStatus(view, tier);
  return html`<a class="card" href="${urls.tier(tier.name)}">
    <span class="head"
      ><strong>${tier.name}</strong> <span class="kind">${text.tier.kind[tier.kind]}</span>${badge(tone, words)}</span
    >
    <span class="facts"><b>${format.bytes(tier.bytes)}</b> ${text.tier.inBackups(format.count(tier.complete))}</span>
    ${capacityBar(view, tier)}
    <span class="facts"
      >${tier.unreachableSince === null ? fullness(view, tier, row) : html`${text.since} ${time(view, tier.unreachableSince)}`}</span
    >
  </a>`;
}

export function capacityBar({ text, format }: View, { free, total }: Pick<TierHealth, "free" | "total">): Html | null {
  if (free === null || total === null || total === 0) return null;
  const used = total - free;
  const share = used / total;
  const tone = share > 0.92 ? " bad" : share > 0.8 ? " warn" : "";
  return html`<svg
    class="gauge${tone}"
    viewBox="0 0 100 6"
    preserveAspectRatio="none"
    role="img"
    aria-label="${text.tier.used(format.percent(share))}"
  >
    <path d="M0 0h${Math.round(share * 1000) / 10}v6H0z" />
  </svg>`;
}

/** When there will be no room left, in the words that matter: not before long is as good as never. */
export function fullness(view: View, { free, total }: TierHealth, row: TierRow | undefined): Html {
  const { text, format } = view;
  const room =
    free === null || total === null ? null : text.tier.free(format.bytes(free), format.percent(free / total));
  const fullAt = row?.fullAt ?? null;
  const full = fullAt === null ? null : html`${text.tier.fullOn} ${time(view, fullAt, "date")}`;
  if (room === null) return html`${full ?? text.tier.noLimit}`;
  return html`${room}${full && html` · ${full}`}`;
}
