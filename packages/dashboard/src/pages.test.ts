import { describe, expect, test } from "@jest/globals";
import { asOf, backupOf, NOW, type Site, SITES } from "../test/fixtures/index.ts";
import { LANGUAGES } from "@trivault/core";
import { backupPage } from "./pages/backup.ts";
import { databasePage } from "./pages/database.ts";
import { overviewPage } from "./pages/overview.ts";
import { tierPage } from "./pages/tiers.ts";
import { verdict } from "./parts/verdict.ts";
import { createView, type View, type Viewer, type ViewOptions } from "./view.ts";

const ADA: Viewer = { name: "ada", mayOperate: true, mayAdminister: true, csrf: "token", canSignOut: true };
const view = (changes: Partial<ViewOptions> = {}): View =>
  createView({ language: "en", now: NOW, assetUrl: (name) => `/a/${name}`, viewer: ADA, firing: null, ...changes });
const overviewOf = (site: Site, of = view()) =>
  overviewPage(of, { overview: site.overview, alerts: site.alerts, filter: { query: "", onlyProblems: false } });
const textOf = (markup: string) =>
  markup
    .replaceAll(/<svg.*?<\/svg>/gs, "")
    .replaceAll(/<[^>]*>/g, "")
    .replaceAll(/[\s\u00A0\u202F]+/g, " ")
    .trim();

describe("the sentence", () => {
  test.each([
    ["empty", "No database is configured, so nothing is known to be safe As of 09:14 UTC"],
    ["healthy", "All 10 databases are safe in three tiers As of 09:14 UTC"],
    [
      "many",
      "299 of 300 databases are safe in three tiers tenant-042.accounts has no cloud copy since 02:14 UTC. As of 09:14 UTC",
    ],
  ] as const)("of a site that is %s", (name, words) => {
    expect(textOf(verdict(view(), SITES[name]().overview).markup)).toBe(words);
  });

  test("names the databases that are not safe, and tiers that cannot be reached, since when", () => {
    const words = textOf(verdict(view(), SITES.failing().overview).markup);
    expect(words).toMatch(
      /^7 of 10 databases are safe in two tiers billing has no cloud copy since 02:14 UTC; crm has no/,
    );
    expect(words).toMatch(/search_index_production_2026 has no backup yet; cloud cannot be reached since 02:14 UTC\./);
  });

  test("counts the problems after the third", () => {
    const { overview } = SITES.healthy();
    const databases = overview.health.databases.map((database) => ({
      ...database,
      ok: false,
      tiers: database.tiers.map((tier) => ({ ...tier, ok: false })),
    }));
    const words = textOf(verdict(view(), { ...overview, health: { ...overview.health, ok: false, databases } }).markup);
    expect(words).toMatch(/^0 of 10 databases are safe.*; 7 more have problems\./);
  });

  test("says that it is old, where nobody looks any more", () => {
    const { overview } = SITES.healthy();
    const late = new Date(NOW.getTime() + 600_000);
    expect(textOf(verdict(view({ now: late }), overview).markup)).toMatch(
      /This is old: the tiers are not being looked at/,
    );
  });

  test("is amber where all are safe and something lacks", () => {
    const { overview } = SITES.healthy();
    const tiers = overview.health.tiers.map((tier) => ({ ...tier, reachable: tier.name !== "cloud" }));
    expect(verdict(view(), { ...overview, health: { ...overview.health, tiers } }).markup).toMatch(
      /class="verdict warn"/,
    );
  });
});

describe("the first page", () => {
  test("has problems first, and describes each copy in words", () => {
    const page = overviewOf(SITES.failing());
    const names = [...page.matchAll(/<th scope="row"><a href="\/databases\/([^"]+)"/g)].map(([, name]) => name);
    expect(names.slice(0, 2)).toEqual(["billing", "crm"]);
    expect(textOf(page)).toMatch(/Late7 h of 2 h/);
    expect(textOf(page)).toMatch(/2 missing20 min of 2 h/);
  });

  test("of 300 databases is small", () => {
    expect(overviewOf(SITES.many()).length).toBeLessThan(400_000);
  });

  test("filters on the server as well", () => {
    const { overview } = SITES.many();
    const page = overviewPage(view(), { overview, alerts: [], filter: { query: "TENANT-04", onlyProblems: true } });
    expect([...page.matchAll(/<th scope="row">/g)]).toHaveLength(1);
  });
});

test("9.A1 copies that cannot be read are shown as such, with the reason, and count as safe nowhere", () => {
  const { databases, overview, tiers } = SITES.healthy();
  const [database] = databases;
  const [tier] = tiers;
  if (database === undefined || tier === undefined) throw new Error("the fixture has them");
  const health = { ...tier.health, unknown: 2, unknownReason: "AccessDenied: kms:Decrypt" };
  expect(textOf(tierPage(view(), { ...tier, health }))).toMatch(
    /2 could not be read.*2 could not be read – AccessDenied: kms:Decrypt/,
  );
  const blind = database.health.tiers.map((copy) => ({ ...copy, ok: false, ageSeconds: null, unknown: 3 }));
  const unread = { ...database, health: { ...database.health, ok: false, tiers: blind } };
  expect(textOf(databasePage(view(), { database: unread, tiers: overview.health.tiers, all: true }))).toMatch(
    /3 could not be read/,
  );
  expect(textOf(databasePage(view(), { database, tiers: overview.health.tiers, all: true }))).not.toMatch(
    /not be read/,
  );
});

describe("names that somebody chose", () => {
  test("9.C22 are text and nothing else, wherever they stand", () => {
    const evil = `<script>alert("1")</script>'&/..\u202E\u2067`;
    const site = asOf(SITES.failing(), NOW);
    const renamed = JSON.parse(JSON.stringify(site).replaceAll('"billing"', JSON.stringify(evil))) as Site;
    const [database] = renamed.databases.filter(({ health }) => health.name === evil);
    const [tier] = renamed.tiers;
    if (database === undefined || tier === undefined) throw new Error("the fixture has them");
    const pages = [
      overviewOf(renamed),
      databasePage(view(), { database, tiers: renamed.overview.health.tiers, all: true }),
      tierPage(view(), tier),
      backupPage(view(), { ...backupOf(renamed, "failed"), database: evil, problem: evil, keep: evil }),
    ];
    for (const page of pages) {
      expect(page).not.toContain("<script>alert");
      expect(page).toContain("&lt;script&gt;");
      expect(page).not.toMatch(/href="[^"]*[<> ][^"]*"/);
      // 9.C22: a mark that turns the direction of text is read as an escape.
      expect(textOf(page)).not.toMatch(/[\u202A-\u202E\u2066-\u2069]/);
      expect(page).toContain(String.raw`\u202e\u2067`);
    }
  });
});

describe("what may be done", () => {
  const pageOf = (viewer: Viewer) => {
    const [database] = SITES.healthy().databases;
    if (database === undefined) throw new Error("the fixture has one");
    const tiers = SITES.healthy().overview.health.tiers;
    const [tier] = SITES.healthy().tiers;
    const of = view({ viewer });
    return [
      databasePage(of, { database, tiers, all: false }),
      backupPage(of, backupOf(SITES.healthy(), "ok")),
      overviewOf(SITES.failing(), of),
      tier ? tierPage(of, tier) : "",
    ].join("");
  };
  const actions = (page: string) => [
    ...new Set(
      [...page.matchAll(/action="([^"]+)"/g)].map(([, action]) => action?.replaceAll(/\d{8}t\d{6}z-\w+/g, "ID")),
    ),
  ];

  test("is nothing for a viewer, but to sign out", () => {
    expect(actions(pageOf({ ...ADA, mayOperate: false, mayAdminister: false }))).toEqual(["/logout", "/"]);
  });

  test("grows with the role", () => {
    const operator = pageOf({ ...ADA, mayAdminister: false });
    expect(actions(operator)).toEqual(
      expect.arrayContaining(["/databases/shop/backup", "/backups/ID/verify", "/backups/ID/keep"]),
    );
    expect(operator).toMatch(/href="\/backups\/\d{8}t\d{6}z-\w+\/restore"/);
    expect(operator).not.toContain("/cleanup");
    expect(pageOf(ADA)).toContain("/tiers/local/cleanup");
  });

  test("carries the token that proves it is not a foreign page's", () => {
    const forms = [...pageOf(ADA).matchAll(/<form method="post".*?<\/form>/gs)].map(([form]) => form);
    expect(forms.length).toBeGreaterThan(5);
    expect(forms.filter((form) => !form.includes('name="_csrf" value="token"'))).toEqual([]);
  });
});

test.each(LANGUAGES)("no page has an inline script, style or handler (%s)", (language) => {
  const of = view({ language });
  const site = SITES.failing();
  const pages = [
    overviewOf(site, of),
    ...site.databases.map((database) => databasePage(of, { database, tiers: [], all: true })),
  ];
  for (const page of pages) {
    expect(page).not.toMatch(/<script>|<style|\sstyle=|\son\w+=/);
    expect(page).toContain(`<html lang="${language}">`);
  }
});

describe("9.A3 a database that is gone", () => {
  const orphan = {
    name: "main.blog",
    reason: "gone",
    server: "main",
    since: new Date(NOW.getTime() - 3 * 3_600_000).toISOString(),
    acknowledged: null,
    backups: 2,
    bytes: 5e9,
    newestBackupId: "20261123t020000z-7f3k9xq2",
  } as const;
  const siteWith = (changes: Partial<typeof orphan> | { acknowledged: object } = {}): Site => {
    const site = SITES.healthy();
    const acknowledged = "acknowledged" in changes && changes.acknowledged !== null;
    const orphans = [{ ...orphan, ...changes }] as Site["overview"]["health"]["orphans"];
    const health = { ...site.overview.health, ok: acknowledged, orphans };
    return { ...site, overview: { ...site.overview, health } };
  };

  test("is in the sentence, and a row with what is left of it and what can be done", () => {
    const site = siteWith();
    expect(textOf(verdict(view(), site.overview).markup)).toMatch(
      /^10 of 11 databases are safe in three tiers main\.blog gone from main 3 h ago · 2 backups\./,
    );
    const page = overviewOf(site);
    expect(page).toContain('href="/backups/20261123t020000z-7f3k9xq2/restore"');
    expect(page).toContain('action="/databases/main.blog/acknowledge"');
    expect(page).toContain('href="/databases/main.blog/discard"');
    expect(textOf(overviewOf(site, view({ language: "fr" })))).toMatch(
      /main\.blog disparue de main .* · 2 sauvegardes/,
    );
    const looks = view({ viewer: { ...ADA, mayOperate: false, mayAdminister: false } });
    expect(overviewOf(site, looks)).not.toMatch(/acknowledge|discard/);
  });

  test("stays a row once somebody has taken note, and the site is healthy again", () => {
    const site = siteWith({ acknowledged: { by: "user:ada", at: NOW.toISOString(), reason: null } });
    expect(textOf(verdict(view(), site.overview).markup)).toMatch(/^All 10 databases are safe/);
    const page = overviewOf(site);
    expect(textOf(page)).toMatch(/gone from main .* · 2 backups · acknowledged by user:ada/);
    expect(page).not.toContain("/acknowledge");
  });

  test("has a page that says so, and not that any copy will do", () => {
    const site = siteWith();
    const [database] = site.databases;
    if (database === undefined) throw new Error("no database");
    const health = { ...database.health, name: "main.blog", objectiveSeconds: null };
    const page = databasePage(view(), { database: { ...database, health, orphan }, tiers: [], all: false });
    expect(textOf(page)).toMatch(/main\.blog Gone gone from main/);
    expect(textOf(page)).not.toMatch(/any copy will do|Back up now/);
  });
});
