import { describe, expect, test } from "@jest/globals";
import type { AuditEvent, RecordedEvent } from "@trivault/audit";
import { newBackupId } from "@trivault/core";
import { foldRuns, type Run } from "@trivault/monitor";
import fc from "fast-check";
import { foldReportRuns, toReportRun } from "./report-runs.ts";

const ZERO = Date.parse("2026-11-01T00:00:00Z");
const HOUR = 3_600_000;
const TIERS = ["local", "remote", "cloud"];

test("a run is on the last tier when the slowest copy is, and only if all are", () => {
  const stage = (tier: string, seconds: number) => {
    const endedAt = new Date(ZERO + seconds * 1000).toISOString();
    return { stage: "copy", tier, outcome: "ok", endedAt, seconds, bytes: 1, attempts: 1 } as const;
  };
  const run: Run = {
    backupId: "20261123t020000z-7f3k9xq2",
    database: "shop",
    startedAt: new Date(ZERO).toISOString(),
    rows: null,
    state: "ok",
    actor: "schedule",
    slot: null,
    seconds: 60,
    bytes: 100,
    stages: [stage("remote", 90), stage("cloud", 400)],
    problem: null,
  };
  expect(toReportRun(run).syncSeconds).toBe(400);
  expect(toReportRun({ ...run, state: "incomplete" }).syncSeconds).toBeNull();
  expect(toReportRun({ ...run, stages: [] }).syncSeconds).toBeNull();
});

type Fate = "ok" | "dump" | "retried" | "cloud" | "healed" | "unheard";

/** Hourly runs, each with its fate, as the audit log shows them. */
function record(fates: readonly Fate[]): RecordedEvent[] {
  const events: (AuditEvent & { readonly at: number })[] = [];
  for (const [hour, fate] of fates.entries()) {
    const start = ZERO + hour * HOUR;
    const slot = new Date(start).toISOString();
    const id = newBackupId(new Date(start));
    const add = (
      minute: number,
      event: Partial<AuditEvent> & Pick<AuditEvent, "action">,
      attempt = 1,
      retried = false,
    ) => {
      const details = event.outcome === "failed" ? { slot, attempt, retried } : { slot, attempt };
      const more = event.outcome === "failed" ? { error: { code: "STORE_REFUSED", message: "no" } } : { bytes: 10 };
      events.push({
        at: start + minute * 60_000,
        outcome: "ok",
        actor: "schedule",
        database: "shop",
        backupId: id,
        seconds: 1,
        details,
        ...more,
        ...event,
      });
    };
    if (fate === "dump") {
      add(1, { action: "backup.dump", outcome: "failed" });
      continue;
    }
    if (fate === "retried") {
      add(1, { action: "backup.dump", outcome: "failed", backupId: newBackupId(new Date(start - 1000)) }, 1, true);
    }
    add(2, { action: "backup.dump" }, fate === "retried" ? 2 : 1);
    add(3, { action: "backup.encrypt", tier: "local" });
    add(4, { action: "backup.copy", tier: "remote" });
    if (fate === "unheard") continue;
    if (fate === "cloud" || fate === "healed") add(5, { action: "backup.copy", tier: "cloud", outcome: "failed" });
    // Maintenance brings it three days later.
    if (fate !== "cloud") add(fate === "healed" ? 72 * 60 : 5, { action: "backup.copy", tier: "cloud" });
  }
  return events
    .toSorted((a, b) => a.at - b.at)
    .map(({ at, ...event }, index) => ({ seq: index + 1, at: new Date(at), host: "h", pid: 1, ...event }));
}

describe("runs that are put away early", () => {
  test("are those that all events together make", () => {
    const fate = fc.oneof(
      { weight: 12, arbitrary: fc.constant<Fate>("ok") },
      fc.constantFrom<Fate>("dump", "retried", "cloud", "healed", "unheard"),
    );
    fc.assert(
      fc.property(fc.array(fate, { minLength: 150, maxLength: 420 }), (fates) => {
        const events = record(fates);
        const now = new Date(ZERO + (fates.length + 100) * HOUR);
        const fold = foldReportRuns(() => TIERS);
        for (const event of events) fold.add(event);
        const all = foldRuns(events, { now, tiersOf: () => TIERS }).map(toReportRun);
        expect(fold.runsOf("shop", now)).toEqual(all);
      }),
      { numRuns: 15 },
    );
  });
});
