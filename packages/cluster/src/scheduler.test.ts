import { describe, expect, test } from "@jest/globals";
import type { RecordedEvent } from "@trivault/audit";
import { type DatabaseConfig, resolveConfig, silentLogger } from "@trivault/core";
import { type SlotJob, slotJobId } from "@trivault/queue";
import { createScheduler, type SchedulerDeps } from "./scheduler.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

interface Site {
  readonly deps: SchedulerDeps;
  /** What the queue knows, by job id. */
  readonly jobs: Map<string, SlotJob>;
  /** In the order in which they were enqueued, those that were known included. */
  readonly added: SlotJob[];
  readonly maintenance: string[];
  readonly events: RecordedEvent[];
  databases: DatabaseConfig[];
  now: Date;
  calls: number;
  running: { readonly database: string; readonly slot: Date }[];
  wipe(): void;
}

/** A site whose queue is a map, whose record is a list, and whose clock is set by hand. */
function makeSite(...databases: DatabaseConfig[]): Site {
  let lost = true;
  const config = resolveConfig({}, "read");
  const site: Site = {
    jobs: new Map(),
    added: [],
    maintenance: [],
    events: [],
    databases,
    now: new Date("2026-11-23T10:00:00Z"),
    calls: 0,
    running: [],
    wipe() {
      site.jobs.clear();
      lost = true;
    },
    deps: {
      limits: { ...config.limits, spreadSeconds: 300 },
      tiers: [{ name: "local" }, { name: "cloud" }],
      databases: async () => site.databases,
      now: () => site.now,
      running: async () => site.running,
      log: silentLogger(),
      history: {
        async *query({ from = new Date(0) }) {
          yield* site.events.filter(({ at }) => at >= from).toReversed();
        },
      },
      queue: {
        async mayHaveLost() {
          const was = lost;
          lost = false;
          return was;
        },
        async known(slots) {
          site.calls++;
          return new Set(slots.filter((one) => site.jobs.has(slotJobId(one.database, one.slot))));
        },
        async add(slots) {
          site.calls++;
          site.added.push(...slots);
          for (const job of slots)
            if (!site.jobs.has(slotJobId(job.database, job.slot)))
              site.jobs.set(slotJobId(job.database, job.slot), job);
        },
        addMaintenance: async (tier, slot) => void site.maintenance.push(`${tier} ${slot.toISOString().slice(11, 16)}`),
        startMaintenance: async (tier) => void site.maintenance.push(`${tier} now`),
      },
    },
  };
  return site;
}

function database(name: string, cron: string, timeZone = "UTC"): DatabaseConfig {
  const { databases } = resolveConfig({ DATABASE_URL: "postgresql://u:p@h/shop" }, "read");
  return { ...(databases[0] as DatabaseConfig), name, schedule: { cron, timeZone } };
}

/** Looks every `step` from where the clock stands until `end`, as a worker does. */
async function live(site: Site, end: string, step = MINUTE, scheduler = createScheduler(site.deps)): Promise<void> {
  for (const until = new Date(end); site.now <= until; site.now = new Date(site.now.getTime() + step))
    await scheduler.look();
}

function ran(site: Site, name: string, slot: string, retried = false): void {
  const details = { slot: new Date(slot).toISOString(), retried };
  const outcome = retried ? "failed" : "ok";
  site.events.push({
    action: "backup.dump",
    outcome,
    actor: "schedule",
    database: name,
    details,
    seq: 1,
    at: new Date(slot),
    host: "h",
    pid: 1,
  });
}

const timesOf = (jobs: readonly SlotJob[]) => jobs.map(({ slot }) => slot.toISOString().slice(0, 16));

describe("scheduler", () => {
  test("enqueues each slot once, soon after its time, and asks Redis nothing while none is due", async () => {
    const site = makeSite(database("shop", "0 * * * *"));
    await live(site, "2026-11-23T13:30:00Z", 5000);
    expect(timesOf(site.added)).toEqual([10, 11, 12, 13].map((hour) => `2026-11-23T${hour}:00`));
    expect(site.calls).toBe(5);
    expect(site.added.every(({ missed }) => missed === undefined)).toBe(true);
  });

  test("daylight saving neither skips nor doubles", async () => {
    const site = makeSite(
      database("daily", "30 2 * * *", "Europe/Paris"),
      database("hourly", "0 * * * *", "Europe/Paris"),
    );
    for (const [from, to, hours] of [
      ["2026-03-28T23:30:00Z", "2026-03-29T22:30:00Z", 23],
      ["2026-10-24T22:30:00Z", "2026-10-25T23:30:00Z", 25],
    ] as const) {
      site.now = new Date(from);
      const scheduler = createScheduler(site.deps);
      await scheduler.look();
      site.added.length = 0;
      await live(site, to, MINUTE, scheduler);
      expect(site.added.filter(({ database: name }) => name === "daily")).toHaveLength(1);
      expect(site.added.filter(({ database: name }) => name === "hourly")).toHaveLength(hours);
    }
  });

  test("twenty restarts and a second scheduler make no second run", async () => {
    const site = makeSite(database("shop", "0 * * * *"));
    const other = createScheduler(site.deps);
    for (let start = 0; start < 20; start++) {
      await createScheduler(site.deps).look();
      await other.look();
    }
    expect(site.added).toHaveLength(1);
  });

  test("slots missed while everything was down become one run, which says how many and how late", async () => {
    const site = makeSite(database("shop", "0 * * * *"));
    ran(site, "shop", "2026-11-23T04:00Z");
    site.now = new Date("2026-11-23T10:20:00Z");
    await createScheduler(site.deps).look();
    expect(site.added).toEqual([
      expect.objectContaining({ slot: new Date("2026-11-23T10:00Z"), missed: { slots: 5, lateSeconds: 1200 } }),
    ]);
  });

  test("a slot that still waits, or is being dumped this moment, was not missed", async () => {
    const site = makeSite(database("waits", "0 * * * *"), database("runs", "0 * * * *"));
    for (const { name } of site.databases) ran(site, name, "2026-11-23T08:00Z");
    const before = new Date("2026-11-23T09:00Z");
    site.jobs.set(slotJobId("waits", before), { database: "waits", slot: before, priority: 5 });
    site.running = [{ database: "runs", slot: before }];
    site.now = new Date("2026-11-23T10:06:00Z");
    await createScheduler(site.deps).look();
    expect(site.added.map(({ missed }) => missed)).toEqual([undefined, undefined]);
  });

  test("a start a few minutes after a slot runs it without ado; one that was run is not run again", async () => {
    const site = makeSite(database("shop", "0 * * * *"));
    ran(site, "shop", "2026-11-23T09:00Z");
    site.now = new Date("2026-11-23T10:05:00Z");
    await createScheduler(site.deps).look();
    expect(site.added).toEqual([{ database: "shop", slot: new Date("2026-11-23T10:00Z"), priority: 5 }]);
    ran(site, "shop", "2026-11-23T10:00Z");
    site.wipe();
    await createScheduler(site.deps).look();
    expect(site.added).toHaveLength(1);
  });

  test("a wiped Redis gets back what was not run, also a run of which an attempt failed that would be tried again", async () => {
    const site = makeSite(
      database("done", "0 * * * *"),
      database("waits", "0 * * * *"),
      database("retried", "0 * * * *"),
    );
    site.now = new Date("2026-11-23T10:30:00Z");
    const scheduler = createScheduler(site.deps);
    await scheduler.look();
    ran(site, "done", "2026-11-23T10:00Z");
    ran(site, "retried", "2026-11-23T10:00Z", true);
    site.added.length = 0;
    await scheduler.look();
    expect(site.added).toEqual([]);
    site.wipe();
    await scheduler.look();
    expect(site.added.map(({ database: name }) => name)).toEqual(["waits", "retried"]);
  });

  test("a process that was asleep runs one slot of those that passed; a clock put back runs none again", async () => {
    const site = makeSite(database("shop", "0 * * * *"));
    const scheduler = createScheduler(site.deps);
    await scheduler.look();
    site.now = new Date("2026-11-23T14:10:00Z");
    await scheduler.look();
    expect(timesOf(site.added)).toEqual(["2026-11-23T10:00", "2026-11-23T14:00"]);
    expect(site.added[1]?.missed).toEqual({ slots: 3, lateSeconds: 600 });
    ran(site, "shop", "2026-11-23T14:00Z");
    site.now = new Date("2026-11-23T12:30:00Z");
    await scheduler.look();
    expect(site.added).toHaveLength(2);
  });

  test("a record of slots that are years ahead, from when the clock was wrong, keeps nobody from running", async () => {
    const site = makeSite(database("shop", "0 * * * *"));
    ran(site, "shop", "2036-11-23T10:00Z");
    await createScheduler(site.deps).look();
    expect(timesOf(site.added)).toEqual(["2026-11-23T10:00"]);
  });

  test("a hundred databases at the same minute start spread over the minutes after it, one alone starts at once", async () => {
    const hundred = Array.from({ length: 100 }, (_, index) => database(`shop-${index}`, "0 * * * *"));
    const site = makeSite(...hundred);
    site.now = new Date("2026-11-23T09:50:00Z");
    const scheduler = createScheduler(site.deps);
    await scheduler.look();
    site.added.length = 0;
    site.calls = 0;
    const perLook: number[] = [];
    for (; site.now < new Date("2026-11-23T10:10:00Z"); site.now = new Date(site.now.getTime() + 5000)) {
      const before = site.added.length;
      await scheduler.look();
      perLook.push(site.added.length - before);
    }
    expect(new Set(site.added.map(({ database: name }) => name)).size).toBe(100);
    expect(site.added).toHaveLength(100);
    expect(timesOf(site.added).every((time) => time === "2026-11-23T10:00")).toBe(true);
    expect(Math.max(...perLook)).toBeLessThan(10);
    expect(site.calls).toBe(perLook.filter((count) => count > 0).length);
  });

  test("what is configured now counts: removed ones stop, changed ones change, those without a schedule wait for a hand", async () => {
    const manual = { ...database("manual", "0 * * * *"), schedule: null };
    const site = makeSite(database("goes", "0 * * * *"), database("changes", "0 * * * *"), manual);
    const scheduler = createScheduler(site.deps);
    site.now = new Date("2026-11-23T10:20:00Z");
    await scheduler.look();
    expect(site.added.map(({ database: name }) => name)).toEqual(["goes", "changes"]);
    site.databases = [database("changes", "*/30 * * * *"), manual];
    site.added.length = 0;
    await live(site, "2026-11-23T11:05:00Z", MINUTE, scheduler);
    expect(site.added.map(({ database: name, slot }) => `${name} ${slot.toISOString().slice(11, 16)}`)).toEqual([
      "changes 10:30",
      "changes 11:00",
    ]);
  });

  test("maintenance of each tier comes around in turn, and at once at a start and after a loss", async () => {
    const site = makeSite();
    await live(site, "2026-11-23T10:40:00Z");
    expect(site.maintenance).toEqual([
      "local now",
      "cloud now",
      "cloud 10:00",
      "local 10:15",
      "cloud 10:15",
      "local 10:30",
      "cloud 10:30",
    ]);
    site.wipe();
    site.maintenance.length = 0;
    await live(site, "2026-11-23T10:42:00Z", HOUR);
    expect(site.maintenance.slice(0, 2)).toEqual(["local now", "cloud now"]);
  });
});
