import { html, type Html } from "@trivault/core";
import type { Overview, TierPage, TierRow } from "@trivault/monitor";
import { page } from "../layout.ts";
import { chart } from "../parts/chart.ts";
import { type Fact, facts } from "../parts/facts.ts";
import { capacityBar, fullness } from "../parts/tier-cards.ts";
import { prose } from "../parts/prose.ts";
import { badge, icon, tierStatus } from "../status.ts";
import { ago, time, urls, type View } from "../view.ts";

export function tiersPage(view: View, { health, tiers }: Overview): string {
  const { text, format } = view;
  return page(view, {
    title: text.nav.tiers,
    here: "tiers",
    body: html`<div data-refresh="30">
      <h1>${text.nav.tiers}</h1>
      <section id="tiers">
        <div class="scroll">
          <table class="tiers">
            <thead>
              <tr>
                <th scope="col">${text.nav.tier}</th>
                <th scope="col">${text.database.state}</th>
                <th scope="col" class="num">${text.database.backups}</th>
                <th scope="col" class="num">${text.overview.size}</th>
                <th scope="col">${text.tier.room}</th>
                <th scope="col" class="num">${text.tier.growth}</th>
                <th scope="col" class="num">${text.tier.latency}</th>
                <th scope="col" class="num">${text.tier.cost}</th>
              </tr>
            </thead>
            <tbody>
              ${health.tiers.map((tier) => {
                const row = tiers.find(({ name }) => name === tier.name);
                const { tone, words } = tierStatus(view, tier);
                return html`<tr>
                  <th scope="row">
                    <a href="${urls.tier(tier.name)}">${tier.name}</a><small>${text.tier.kind[tier.kind]}</small>
                  </th>
                  <td data-l="${text.database.state}">
                    ${badge(tone, words)}${tier.unreachableSince && html`<small>${text.since} ${time(view, tier.unreachableSince)}</small>`}
                  </td>
                  <td data-l="${text.database.backups}" class="num">${format.count(tier.complete)}</td>
                  <td data-l="${text.overview.size}" class="num">${format.bytes(tier.bytes)}</td>
                  <td data-l="${text.tier.room}">
                    ${capacityBar(view, tier)}<small>${fullness(view, tier, row)}</small>
                  </td>
                  <td data-l="${text.tier.growth}" class="num">${growth(view, row)}</td>
                  <td data-l="${text.tier.latency}" class="num">${latency(view, row?.latencySeconds ?? null)}</td>
                  <td data-l="${text.tier.cost}" class="num">${cost(view, row?.costPerMonth ?? null)}</td>
                </tr>`;
              })}
            </tbody>
          </table>
        </div>
      </section>
    </div>`,
  });
}

function growth({ text, format }: View, row: TierRow | undefined): string {
  if (row === undefined || row.bytesPerDay === null) return "–";
  const size = format.bytes(Math.abs(row.bytesPerDay));
  return text.tier.perDay(row.bytesPerDay < 0 ? `−${size}` : `+${size}`);
}

function latency({ format }: View, seconds: number | null): string {
  return seconds === null ? "–" : `${format.count(seconds * 1000)}\u00A0ms`;
}

function cost({ text, format }: View, perMonth: number | null): string {
  return perMonth === null ? "–" : text.tier.perMonth(format.money(perMonth));
}

export function tierPage(view: View, tier: TierPage): string {
  const { text } = view;
  const { health } = tier;
  const { tone, words } = tierStatus(view, health);
  return page(view, {
    title: health.name,
    here: "tiers",
    scripts: ["uPlot.js", "charts.js"],
    styles: ["uPlot.css"],
    body: html`<div data-refresh="30">
      <section id="verdict" class="title">
        <div>
          <p class="crumb"><a href="/tiers">${text.nav.tiers}</a></p>
          <h1>${health.name} ${badge(tone, words)}</h1>
          <p>
            ${text.tier.kind[health.kind]}${health.scannedAt === null ? null : html` · ${text.tier.lookedAt} ${time(view, health.scannedAt)}`}
          </p>
          ${health.problem && html`<p class="problem">${prose(health.problem)}</p>`}
          ${health.unknownReason && html`<p class="problem">${text.tier.unread(health.unknown)} – ${prose(health.unknownReason)}</p>`}
        </div>
      </section>
      ${view.viewer?.mayAdminister === true ? html`<div class="actions"><a class="button" href="${urls.tier(health.name)}/cleanup">${text.cleanup.plan}</a></div>` : null}
      <div id="facts">${facts(factsOf(view, tier))}</div>
      ${tier.samples.length < 2 ? null : samples(view, tier)} ${shares(view, tier)} ${verifications(view, tier)}
    </div>`,
  });
}

function factsOf(view: View, { health, row }: TierPage): Fact[] {
  const { text, format } = view;
  const bad = health.damaged + health.untrusted + health.partial + health.unknown;
  return [
    {
      name: text.database.backups,
      value: format.count(health.complete),
      note: bad === 0 ? text.tier.allWhole : text.tier.notWhole(health),
    },
    { name: text.tier.held, value: format.bytes(health.bytes), note: growth(view, row) },
    {
      name: text.tier.room,
      value: health.free === null ? "–" : format.bytes(health.free),
      note: health.free === null ? text.tier.noLimit : capacityBar(view, health),
    },
    {
      name: text.tier.full,
      value: row.fullAt === null ? "–" : time(view, row.fullAt, "date"),
      note: row.fullAt === null ? text.tier.notForeseen : text.tier.atThisRate,
    },
    { name: text.tier.latency, value: latency(view, row.latencySeconds), note: text.tier.smallQuestion },
    {
      name: text.tier.cost,
      value: cost(view, row.costPerMonth),
      note: row.costPerMonth === null ? text.tier.noPrices : null,
    },
  ];
}

function samples(view: View, { samples: all }: TierPage): Html {
  const { text } = view;
  const x = all.map(({ at }) => Date.parse(at) / 1000);
  const latencies = all.map(({ latencySeconds }) => latencySeconds);
  return html`<section class="charts" aria-label="${text.database.charts}">
    ${chart({ title: text.tier.heldOverTime, unit: "bytes", x, series: [{ name: text.tier.held, y: all.map(({ bytes }) => bytes) }] })}
    ${latencies.every((each) => each === null) ? null : chart({ title: text.tier.latencyOverTime, unit: "seconds", x, series: [{ name: text.tier.latency, y: latencies }] })}
  </section>`;
}

function shares(view: View, { databases, costs }: TierPage): Html {
  const { text, format } = view;
  return html`<section id="shares" class="two">
    <div>
      <h2>${text.tier.byDatabase}</h2>
      ${
        databases.length === 0
          ? html`<p class="none">${text.database.noBackups}</p>`
          : html`<div class="scroll">
              <table>
                <thead>
                  <tr>
                    <th scope="col">${text.overview.database}</th>
                    <th scope="col" class="num">${text.database.backups}</th>
                    <th scope="col" class="num">${text.overview.size}</th>
                  </tr>
                </thead>
                <tbody>
                  ${databases.map(
                    (each) =>
                      html`<tr>
                        <th scope="row"><a href="${urls.database(each.database)}">${each.database}</a></th>
                        <td data-l="${text.database.backups}" class="num">${format.count(each.backups)}</td>
                        <td data-l="${text.overview.size}" class="num">${format.bytes(each.bytes)}</td>
                      </tr>`,
                  )}
                </tbody>
              </table>
            </div>`
      }
    </div>
    <div>
      <h2>${text.tier.cost}</h2>
      ${
        costs.length === 0
          ? html`<p class="none">${text.tier.noPrices}</p>`
          : html`<div class="scroll">
              <table>
                <thead>
                  <tr>
                    <th scope="col">${text.tier.storageClass}</th>
                    <th scope="col" class="num">${text.overview.size}</th>
                    <th scope="col" class="num">${text.tier.cost}</th>
                  </tr>
                </thead>
                <tbody>
                  ${costs.map(
                    (each) =>
                      html`<tr>
                        <th scope="row">${each.storageClass}</th>
                        <td data-l="${text.overview.size}" class="num">${format.bytes(each.bytes)}</td>
                        <td data-l="${text.tier.cost}" class="num">${cost(view, each.perMonth)}</td>
                      </tr>`,
                  )}
                </tbody>
              </table>
            </div>`
      }
    </div>
  </section>`;
}

function verifications(view: View, { verifications: all }: TierPage): Html {
  const { text } = view;
  return html`<section id="verifications">
    <h2>${text.tier.verifications}</h2>
    ${
      all.length === 0
        ? html`<p class="none">${text.tier.neverVerified}</p>`
        : html`<ul class="lines">
            ${all.map(
              (each) =>
                html`<li>
                  ${icon(each.good ? "ok" : "bad")}<span>${ago(view, each.at)}</span>
                  <span
                    >${each.backupId === null ? each.database : html`<a href="${urls.backup(each.backupId)}">${each.database ?? each.backupId}</a>`}</span
                  >
                  <span>${each.good ? text.tier.foundGood : text.tier.foundDamage}</span
                  >${each.problem && html`<small class="problem">${each.problem}</small>`}
                </li>`,
            )}
          </ul>`
    }
  </section>`;
}
