import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "@jest/globals";
import type { AlertRule } from "@trivault/core";
import { ago, beat, event, NO_INCIDENTS, NOW, observe, overviewOf, testConfig } from "../test/observations.ts";
import { findSigns, RULES } from "./find-signs.ts";
import { takeEvent } from "./incidents.ts";
import { pruneIncidents } from "./prune-incidents.ts";
import { TEXTS } from "./texts/all.ts";
import type { Observation } from "./types.ts";

/** `rule subject: member, member`, with the rules that another alert covers in brackets. */
function seen(observation: Observation): string[] {
  const groups = Map.groupBy(findSigns(observation), ({ rule, subject }) => `${rule} ${subject}`);
  return [...groups].map(([name, signs]) => {
    const text = `${name}: ${signs.map(({ member }) => member).join(", ")}`;
    return signs.every(({ suppressed }) => suppressed) ? `(${text})` : text;
  });
}

function wordsOf(observation: Observation, rule: AlertRule) {
  const signs = findSigns(observation).filter((each) => each.rule === rule && !each.suppressed);
  const words = RULES[rule].words(signs, observation, TEXTS.en);
  return [words.title, words.what, words.safe, words.todo].join("\n");
}

const failed = (database: string, code = "DATABASE_UNREACHABLE", retried = false) =>
  event("backup.dump", { database, error: { code, message: "no route to host" }, details: { retried } });
const after = (...events: ReturnType<typeof event>[]) => events.reduce(takeEvent, NO_INCIDENTS);

test("what to do names only commands that there are", async () => {
  const root = path.resolve(import.meta.dirname, "../../..");
  const { scripts } = JSON.parse(await readFile(path.join(root, "package.json"), "utf8")) as { scripts: object };
  const folder = path.join(import.meta.dirname, "texts");
  const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith(".ts"));
  const sources = await Promise.all(files.map((name) => readFile(path.join(folder, name), "utf8")));
  const named = sources.flatMap((source) => [...source.matchAll(/(?:npm run |`)((?:backup:[\w:-]+)|worker)\b/g)]);
  expect(named.length).toBeGreaterThan(20);
  expect(named.map(([, name = ""]) => name).filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
});

test("where everything is healthy nothing is seen", () => {
  expect(seen(observe())).toEqual([]);
});

describe("runs", () => {
  test("that fail on one server for one reason are one alert, until there is a backup again", () => {
    const incidents = after(failed("shop"), failed("billing"), failed("third", "STORE_FULL"));
    expect(seen(observe({ incidents }))).toEqual([
      "run-failed db1:5432 DATABASE_UNREACHABLE: shop, billing",
      "run-failed STORE_FULL: third",
    ]);
    const mended = [event("backup.encrypt", { database: "shop", outcome: "ok" })].reduce(takeEvent, incidents);
    expect(seen(observe({ incidents: mended }))).toContain("run-failed db1:5432 DATABASE_UNREACHABLE: billing");
  });

  test("that are tried again, or whose dump alone is through, change nothing", () => {
    expect(after(failed("shop", "DUMP_FAILED", true))).toEqual({});
    const incidents = after(failed("shop"), event("backup.dump", { database: "shop", outcome: "ok" }));
    expect(Object.keys(incidents)).toEqual(["run shop"]);
  });

  test("say what happened, since when, what is safe, and what to do", () => {
    const site = { ages: { "shop/local": 700, "shop/remote": 4000, "shop/cloud": null } };
    const text = wordsOf(observe({ incidents: after(failed("shop")), site }), "run-failed");
    expect(text).toContain("The backup of shop failed");
    expect(text).toContain("since 2026-11-23 12:00 UTC");
    expect(text).toContain("no route to host");
    expect(text).toContain("Still safe: local (11m 40s old), remote (1h 6m old).");
    expect(text).toContain("npm run backup:run");
  });

  test("of an unusual size are reported, but not while there is little history, nor once it was accepted", () => {
    const usual = [50e6, 51e6, 52e6, 50e6, 51e6];
    const site = (last: number, before = usual) => ({ sizes: { shop: [...before, last] } });
    expect(seen(observe({ site: site(20e6) }))).toEqual(["size-unusual sizes: shop"]);
    expect(seen(observe({ site: site(200e6) }))).toEqual(["size-unusual sizes: shop"]);
    expect(seen(observe({ site: site(60e6) }))).toEqual([]);
    expect(seen(observe({ site: site(20e6, [50e6, 51e6]) }))).toEqual([]);
    expect(wordsOf(observe({ site: site(20e6) }), "size-unusual")).toMatch(/2\.5 times smaller than usual/);
    const before = { sizes: { shop: [50e6, 51e6, 52e6, 50e6, 51e6, 50e6] } };
    const rows = (last: number | null) => ({ ...before, rows: { shop: [9000, 9000, 9100, 9200, 9300, last] } });
    expect(seen(observe({ site: rows(9400) }))).toEqual([]);
    expect(seen(observe({ site: rows(null) }))).toEqual([]);
    expect(wordsOf(observe({ site: rows(1820) }), "size-unusual")).toMatch(
      /The backup of shop holds 5\.0 times fewer rows than usual[^]*shop: 1820 rows instead of about 9100, since/,
    );
    const few = { ...before, rows: { shop: [1, 2, 1, 2, 1, 900] } };
    expect(seen(observe({ site: few }))).toEqual([]);
    const incidents = after(event("size.accepted", { database: "shop", outcome: "ok" }));
    expect(seen(observe({ site: site(20e6), incidents }))).toEqual([]);
  });

  test("that retention does not clean up by itself are reported until somebody did", () => {
    const held = event("retention.held", { database: "shop", tier: "cloud", details: { message: "Most would go." } });
    expect(seen(observe({ incidents: after(held) }))).toEqual(["retention-held cloud: shop"]);
    // 9.A4: that something else is deleted does not end it.
    const deleted = event("backup.deleted", { database: "shop", tier: "cloud", outcome: "ok" });
    expect(Object.keys(after(held, deleted))).toHaveLength(1);
    const over = event("retention.held", { database: "shop", tier: "cloud", outcome: "ok" });
    expect(after(held, deleted, over)).toEqual({});
  });
});

describe("copies", () => {
  test("that miss the objective are reported by tier, or by server where the local tier lacks them too", () => {
    const late = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, 9000]));
    expect(seen(observe({ site: { ages: late(["shop/cloud", "billing/cloud"]) } }))).toEqual([
      "objective-missed cloud: shop on cloud, billing on cloud",
    ]);
    const all = ["local", "remote", "cloud"].flatMap((tier) => [`shop/${tier}`, `billing/${tier}`]);
    expect(seen(observe({ site: { ages: late(all) } }))).toEqual([
      "objective-missed db1:5432: shop on local, shop on remote, shop on cloud, billing on local, billing on remote, billing on cloud",
    ]);
    const text = wordsOf(observe({ site: { ages: late(["shop/cloud"]) } }), "objective-missed");
    expect(text).toContain("shop has no copy on cloud within the objective");
    expect(text).toContain("since 2026-11-23 11:30 UTC (30m ago)");
    expect(text).toContain("Still safe: local (10m old), remote (10m old), cloud (2h 30m old).");
  });

  test("of a new database are given time", () => {
    const [sign] = findSigns(observe({ site: { ages: { "shop/cloud": null } } }));
    expect(sign).toMatchObject({ rule: "objective-missed", holdSeconds: 7200 });
  });

  test("that are late must be so for long, while nothing newer arrives", () => {
    const site = { lacking: { "shop/cloud": 2, "billing/remote": 1 }, ages: { "shop/cloud": 5000 } };
    expect(seen(observe({ site }))).toEqual(["copy-lag cloud: shop"]);
    expect(findSigns(observe({ site }))[0]?.holdSeconds).toBe(3600);
  });

  test("that are damaged are reported until they are whole, wherever that was found", () => {
    const bad = { database: "shop", backupId: "20261123t020000z-7f3k9xq2", tier: "cloud" };
    const damage = event("backup.verified", {
      ...bad,
      details: { state: "damaged" },
      error: { code: "DAMAGED", message: "data-000001.zst: wrong SHA-256" },
    });
    expect(seen(observe({ incidents: after(damage) }))).toEqual([`damage-found cloud: ${bad.backupId}`]);
    expect(after(damage, event("tier.repaired", { ...bad, outcome: "ok" }))).toEqual({});
    const copied = event("backup.copy", { ...bad, outcome: "ok" });
    expect(Object.keys(after(damage, copied))).toHaveLength(1);
    const unknown = event("backup.verified", { ...bad, details: { state: "unknown" } });
    expect(after(unknown)).toEqual({});
    expect(seen(observe({ site: { tier: { remote: { damaged: 2 } } } }))).toEqual([
      "damage-found remote: copies on remote",
    ]);
  });
});

test("a copy that was missing is over once it is there again, or was found whole", () => {
  const lacking = { database: "shop", backupId: "20261123t020000z-7f3k9xq2", tier: "cloud" };
  const missing = event("backup.verified", {
    ...lacking,
    details: { state: "missing" },
    error: { code: "MISSING", message: "no complete copy is there" },
  });
  expect(seen(observe({ incidents: after(missing) }))).toEqual([`damage-found cloud: ${lacking.backupId}`]);
  expect(after(missing, event("backup.copy", { ...lacking, outcome: "ok" }))).toEqual({});
  expect(after(missing, event("backup.verified", { ...lacking, outcome: "ok", details: { state: "good" } }))).toEqual(
    {},
  );
  const other = event("backup.copy", { ...lacking, tier: "remote", outcome: "ok" });
  expect(Object.keys(after(missing, other))).toHaveLength(1);
});

describe("tiers", () => {
  test("that are down are one alert, and what follows from it none", () => {
    const ages = { "shop/cloud": 9000, "billing/cloud": null };
    expect(seen(observe({ site: { down: ["cloud"], ages } }))).toEqual([
      "(objective-missed cloud: shop on cloud, billing on cloud)",
      "tier-unreachable cloud: cloud",
    ]);
    const text = wordsOf(observe({ site: { down: ["cloud"], ages } }), "tier-unreachable");
    expect(text).toContain("since 2026-11-23 11:55 UTC (5m ago)");
    expect(text).toContain("2 databases shall be on it");
    expect(text).toContain("ECONNREFUSED");
  });

  test("are known to be down by a copy that failed, before maintenance looks", () => {
    const error = { code: "STORE_UNREACHABLE", message: "timed out" };
    const copy = event("backup.copy", { database: "shop", tier: "cloud", error, details: { retried: true } });
    const incidents = after(copy);
    const unscanned = { cloud: { scannedAt: ago(600).toISOString() } };
    expect(seen(observe({ incidents, site: { tier: unscanned } }))).toEqual(["tier-unreachable cloud: cloud"]);
    expect(after(copy, event("backup.copy", { tier: "cloud", outcome: "ok" }))).toEqual({});
    const later = observe({ now: ago(-60) });
    expect(pruneIncidents(incidents, later)).toEqual({});
    expect(pruneIncidents(incidents, observe({ site: { tier: unscanned } }))).toEqual(incidents);
  });

  test.each([
    [{ free: 4e9 }, "warning"],
    [{ free: 5e8 }, "critical"],
    [{ fullAt: ago(-3 * 86_400).toISOString() }, "warning"],
    [{ fullAt: ago(-3600).toISOString() }, "critical"],
    [{ fullAt: ago(-30 * 86_400).toISOString() }, null],
    [{ free: null, total: null }, null],
  ])("that fill up are reported in time: %j", (cloud, severity) => {
    const found = findSigns(observe({ site: { tier: { cloud } } }));
    expect(found.map((each) => `${each.rule} ${each.severity}`)).toEqual(severity ? [`tier-filling ${severity}`] : []);
    if (severity) expect(wordsOf(observe({ site: { tier: { cloud } } }), "tier-filling")).toMatch(/tier cloud/);
  });

  test("that are over their budget, or lost what nobody of us deleted", () => {
    expect(seen(observe({ site: { tier: { cloud: { overBudget: true } } } }))).toEqual([
      "tier-over-budget cloud: cloud",
    ]);
    const lost = event("tier.vanished", { tier: "cloud", database: "shop", details: { copies: 12 } });
    const incidents = after(lost);
    expect(seen(observe({ incidents }))).toEqual(["tier-shrunk cloud: shop"]);
    expect(wordsOf(observe({ incidents }), "tier-shrunk")).toContain("12 copies vanished from cloud");
    // Somebody has to hear of it, even if all is brought back at once.
    expect(pruneIncidents(incidents, observe({ now: ago(-600) }))).toEqual(incidents);
    expect(pruneIncidents(incidents, observe({ now: ago(-4000) }))).toEqual({});
    expect(pruneIncidents(incidents, observe({ now: ago(-4000), site: { lacking: { "shop/cloud": 1 } } }))).toEqual(
      incidents,
    );
  });
});

describe("workers and queue", () => {
  test("a queue has no worker where neither heartbeats nor the queue know one", () => {
    const queues = (workers: number) => [{ queue: "dump", waiting: 3, workers } as const];
    const none = observe({ heartbeats: [], queues: queues(0) });
    expect(seen(none)).toEqual(["no-worker workers: dump", "(scheduler-silent scheduler: scheduler)"]);
    expect(wordsOf(none, "no-worker")).toMatch(/No worker serves dump[\s\S]*3 jobs wait/);
    expect(seen(observe({ heartbeats: [beat({ queues: [] })], queues: queues(1) }))).toEqual([]);
    expect(seen(observe({ queues: queues(0) }))).toEqual([]);
    const dead = observe({ heartbeats: [beat({ seenAt: ago(300) })], queues: queues(0) });
    expect(findSigns(dead)[0]?.since).toEqual(ago(300));
  });

  test("a queue that cannot be reached is one alert", () => {
    const queues = { unreachable: "Redis does not answer." };
    expect(seen(observe({ queues, heartbeats: [] }))).toEqual([
      "queue-unreachable queue: queue",
      "(scheduler-silent scheduler: scheduler)",
    ]);
  });

  test("a scheduler that does not look is reported, where there is a schedule", () => {
    const heartbeats = [beat({ schedulesLookedAt: ago(200) })];
    expect(seen(observe({ heartbeats }))).toEqual(["scheduler-silent scheduler: scheduler"]);
    const config = testConfig();
    const onDemand = { ...config, databases: config.databases.map((each) => ({ ...each, schedule: null })) };
    expect(seen(observe({ heartbeats, config: onDemand }))).toEqual([]);
  });

  test("a clock that is wrong is reported, by Redis's or by the file system's", () => {
    expect(seen(observe({ heartbeats: [beat({ redisDriftSeconds: -90 })] }))).toEqual(["clock-drift w1: w1"]);
    const ahead = observe({ heartbeats: [beat({ at: ago(-295) })] });
    expect(wordsOf(ahead, "clock-drift")).toContain("The clock of w1 is 5m ahead");
  });
});

describe("the site", () => {
  test("9.A3 a database that is gone is reported until somebody took note, by the server that held it", () => {
    const since = ago(7200).toISOString();
    const orphan = { reason: "gone", server: "main", since, backups: 2, bytes: 2e6, newestBackupId: null } as const;
    const gone = (name: string, more: object = {}) => ({ ...orphan, name, acknowledged: null, ...more });
    const acknowledged = { by: "user:ada", at: since, reason: null };
    const observed = observe({ site: { orphans: [gone("main.blog"), gone("main.wiki", { acknowledged })] } });
    expect(seen(observed)).toEqual(["database-vanished main: main.blog"]);
    expect(wordsOf(observed, "database-vanished")).toMatch(/main\.blog.*gone[^]*2 backups[^]*backup:acknowledge/);
    const others = ["not-configured", "restored-into"].map((reason) => gone("main.crm2", { reason }));
    expect(seen(observe({ site: { orphans: others } }))).toEqual([]);
  });

  test("what expires is reported in time", () => {
    const expiries = (days: number) => [{ kind: "token", name: "ci", at: ago(-days * 86_400) } as const];
    expect(seen(observe({ expiries: expiries(20) }))).toEqual([]);
    const soon = observe({ expiries: expiries(10) });
    expect(wordsOf(soon, "expiring")).toContain('The API token "ci" expires in 10d');
    expect(findSigns(observe({ expiries: expiries(1) }))[0]?.severity).toBe("critical");
    expect(wordsOf(observe({ expiries: expiries(-1) }), "expiring")).toContain("has expired");
  });

  test("an audit log that was changed is reported at once, and by the daily check", () => {
    const problems = [{ file: "2026-11.jsonl", line: 3, seq: 3, what: "was changed" }];
    const broken = observe({ record: { ok: false, problems, checkedAt: NOW } });
    expect(wordsOf(broken, "audit-broken")).toContain("2026-11.jsonl, line 3: was changed");
    const incidents = after(event("audit.broken"));
    expect(seen(observe({ incidents, record: null }))).toEqual(["audit-broken record: record"]);
    expect(pruneIncidents(incidents, observe({ record: { ok: true, problems: [], checkedAt: ago(-1) } }))).toEqual({});
  });

  test("a configuration that was refused is reported until a good one is in force, or its process began anew", () => {
    const details = { service: "worker" };
    const refused = event("config.refused", { details, error: { code: "CONFIG_INVALID", message: "mail.port is 0" } });
    const incidents = after(refused);
    expect(wordsOf(observe({ incidents }), "config-refused")).toContain("mail.port is 0");
    expect(after(refused, event("config.loaded", { details, outcome: "ok" }))).toEqual({});
    expect(Object.keys(after(refused, event("config.loaded", { details: { service: "api" } })))).toHaveLength(1);
    expect(pruneIncidents(incidents, observe())).toEqual(incidents);
    expect(pruneIncidents(incidents, observe({ heartbeats: [beat({ startedAt: ago(-5) })] }))).toEqual({});
  });

  test("a channel that fails is reported", () => {
    const failingChannels = [{ name: "ops", since: ago(60), reason: "Slack (ops) answered 404." }];
    expect(wordsOf(observe({ failingChannels }), "channel-failed")).toContain("Alerts do not reach the channel ops");
  });

  test("a rule that throws is a problem itself, and the others go on", () => {
    const observation = Object.defineProperty(observe({ site: { down: ["cloud"] } }), "heartbeats", {
      get: () => {
        throw new Error("A heartbeat is of another version.");
      },
    });
    expect(seen(observation)).toEqual([
      "tier-unreachable cloud: cloud",
      "rule-failed rules: no-worker, scheduler-silent, clock-drift",
    ]);
    expect(wordsOf(observation, "rule-failed")).toMatch(
      /^3 alert rules cannot be evaluated\nno-worker, .*of another version/,
    );
    const config = testConfig("/nowhere", { off: ["rule-failed", "no-worker", "clock-drift"] });
    expect(seen(Object.defineProperty(observation, "config", { value: config }))).toContain(
      "(rule-failed rules: scheduler-silent)",
    );
  });

  test("rules that are off see nothing, and what is no longer configured is forgotten", () => {
    const config = testConfig("/nowhere", { off: ["tier-unreachable", "objective-missed"] });
    expect(seen(observe({ config, site: { down: ["cloud"], ages: { "shop/cloud": 9999 } } }))).toEqual([]);
    const gone = after(failed("gone"), event("tier.vanished", { tier: "gone", database: "shop" }));
    expect(pruneIncidents(gone, observe({ overview: overviewOf(testConfig()) }))).toEqual({});
  });
});
