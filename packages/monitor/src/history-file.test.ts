import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { type AuditEvent, type AuditLog, openAuditLog } from "@trivault/audit";
import { makeTempDir, type TempDir } from "@trivault/testkit";
import fc from "fast-check";
import { createHistory, type History } from "./history.ts";
import { openHistoryFile } from "./history-file.ts";

const DATABASES = ["shop", "blog"];
const TIERS = ["local", "remote", "cloud"];
const START = Date.parse("2026-11-20T02:00:00Z");
const IDS = Array.from({ length: 6 }, (_, hour) => `202611${20 + hour}t020000z-0000000${hour}`);

let dir: TempDir;
let now: Date;
let audit: AuditLog;
beforeEach(async () => {
  dir = await makeTempDir("history-file");
  begin("first");
});
afterEach(async () => {
  await audit.close();
  await dir.remove();
});

const auditFolder = (name: string) => path.join(dir.path, name, "audit");
const file = () => path.join(dir.path, "backups/.trivault/monitor/history.json");

function begin(name: string): void {
  now = new Date(START);
  audit = openAuditLog(auditFolder(name), { now: () => now });
}

interface Drawn {
  readonly event: AuditEvent;
  readonly minutes: number;
}

const problem = fc.record({ code: fc.constantFrom("DUMP_FAILED", "STORE_REFUSED"), message: fc.string() });
const event: fc.Arbitrary<Drawn> = fc
  .record({
    action: fc.constantFrom(
      ...([
        "backup.requested",
        "backup.dump",
        "backup.encrypt",
        "backup.copy",
        "backup.copy",
        "backup.adopted",
      ] as const),
      ...(["backup.verified", "backup.restored", "schedule.missed", "tier.reachable"] as const),
    ),
    outcome: fc.constantFrom("ok", "ok", "ok", "failed", "refused"),
    actor: fc.constantFrom("schedule", "user:ann@h"),
    database: fc.constantFrom(...DATABASES),
    backupId: fc.constantFrom(...IDS, "no id"),
    tier: fc.constantFrom(...TIERS),
    seconds: fc.integer({ min: 0, max: 5_000_000 }).map((ms) => ms / 1000),
    bytes: fc.integer({ min: 0, max: 2 ** 40 }),
    error: fc.option(problem, { nil: undefined }),
    attempt: fc.integer({ min: 1, max: 3 }),
    retried: fc.boolean(),
    rows: fc.option(fc.nat(), { nil: undefined }),
    slot: fc.option(fc.constant("2026-11-23T02:00:00.000Z"), { nil: undefined }),
    minutes: fc.integer({ min: 0, max: 200 }),
  })
  .map(({ attempt, retried, rows, slot, minutes, ...rest }) => {
    const more = { ...(rows === undefined ? {} : { rows }), ...(slot === undefined ? {} : { slot }) };
    const details = { attempt, retried, ...more, run: rest.backupId, target: "h/d", missed: attempt - 1 };
    return { minutes, event: { ...rest, details } };
  });

async function record(events: readonly Drawn[]): Promise<void> {
  for (const { event: one, minutes } of events) {
    now = new Date(now.getTime() + minutes * 60_000);
    await audit.append(one);
  }
}

/** All that it can be asked. */
function answersOf(history: History, at = now): unknown {
  return {
    databases: DATABASES.map((name) => ({
      row: history.row(name, TIERS, at),
      runs: history.runs(name, TIERS, at),
      missed: history.missed(name),
      restores: history.restores(name),
      lastRun: history.lastRun(name),
    })),
    verifications: TIERS.map((tier) => history.verifications(tier)),
    runs: IDS.map((id) => history.run(id, () => TIERS, at)),
    failed: IDS.flatMap((id) => TIERS.map((tier) => history.isFailedCopy(id, tier))),
    lastCopyAt: history.lastCopyAt,
  };
}

async function historyWith(kept: boolean): Promise<{ answers: unknown; wasUsed: boolean }> {
  let wasUsed = false;
  const asked: Pick<AuditLog, "reader" | "resume"> = {
    reader: (since) => audit.reader(since),
    async resume(mark) {
      const reader = await audit.resume(mark);
      wasUsed = reader !== null;
      return reader;
    },
  };
  const history = createHistory(asked, "local", kept ? openHistoryFile({ backupDir: `${dir.path}/backups` }) : null, 1);
  await history.update(now);
  return { answers: answersOf(history), wasUsed };
}

async function keep(askRows = true): Promise<void> {
  const history = createHistory(audit, "local", openHistoryFile({ backupDir: `${dir.path}/backups` }), 1);
  await history.update(now);
  if (askRows) answersOf(history);
  await history.keep(now);
}

const some = (count: number) => fc.sample(event, { seed: 7, numRuns: count });

test("a history that begins with what was kept is the very one that is read from the audit log, whatever is in it", async () => {
  let index = 0;
  const drawn = fc.record({
    before: fc.array(event, { minLength: 1, maxLength: 20 }),
    after: fc.array(event, { maxLength: 6 }),
  });
  await fc.assert(
    fc.asyncProperty(drawn, fc.boolean(), async ({ before, after }, askRows) => {
      await audit.close();
      begin(`drawn-${(index += 1)}`);
      await record(before);
      await keep(askRows);
      await record(after);
      const { answers, wasUsed } = await historyWith(true);
      expect(wasUsed).toBe(true);
      expect(answers).toEqual((await historyWith(false)).answers);
    }),
    { numRuns: 20 },
  );
});

describe("as if it were not there", () => {
  beforeEach(async () => {
    await record(some(30));
    await keep();
    expect((await historyWith(true)).wasUsed).toBe(true);
  });

  const expectUnused = async () => {
    const { answers, wasUsed } = await historyWith(true);
    expect(wasUsed).toBe(false);
    expect(answers).toEqual((await historyWith(false)).answers);
  };
  const month = () => path.join(auditFolder("first"), "2026-11.jsonl");

  test("a file that is missing, damaged at any place, cut off, or none of ours", async () => {
    const good = readFileSync(file());
    const damaged = [0, 20, 60, 120, 200, 500, good.length >> 1, good.length - 1].map((at) => {
      const bytes = Buffer.from(good);
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      return bytes;
    });
    for (const bytes of [
      ...damaged,
      good.subarray(0, -1),
      Buffer.from(""),
      Buffer.from("null"),
      Buffer.from("[]\n[]"),
    ]) {
      writeFileSync(file(), bytes);
      await expectUnused();
    }
    rmSync(file());
    await expectUnused();
  });

  test("one of another version, or of a site whose first tier has another name", async () => {
    const good = readFileSync(file(), "utf8");
    for (const [is, was] of [
      ["trivault-history 1", "trivault-history 0"],
      [/"program":"[^"]*"/, `"program":"0.0.1"`],
    ] as const) {
      writeFileSync(file(), good.replace(is, was));
      await expectUnused();
    }
    writeFileSync(file(), good);
    const elsewhere = createHistory(audit, "disk", openHistoryFile({ backupDir: `${dir.path}/backups` }), 1);
    await elsewhere.update(now);
    const fresh = createHistory(audit, "disk", null);
    await fresh.update(now);
    expect(answersOf(elsewhere)).toEqual(answersOf(fresh));
  });

  test("one that is too large", async () => {
    truncateSync(file(), 256 * 1024 * 1024 + 1);
    await expectUnused();
  });

  test("one of an audit log that somebody changed, and what was changed is seen", async () => {
    const [first = ""] = some(1).map(({ event: { actor } }) => actor);
    const text = readFileSync(month(), "utf8");
    writeFileSync(month(), text.replaceAll(`"actor":"${first}"`, `"actor":"user:eve@h"`));
    await expectUnused();
    expect(await audit.verify()).toMatchObject({ ok: false });
  });

  test("one of an audit log that was put back to an older state, or is another's", async () => {
    cpSync(auditFolder("first"), `${auditFolder("first")}.older`, { recursive: true });
    await record(some(5));
    await keep();
    renameSync(auditFolder("first"), `${auditFolder("first")}.newer`);
    renameSync(`${auditFolder("first")}.older`, auditFolder("first"));
    await expectUnused();
    await audit.close();
    begin("second");
    await record(some(30));
    await expectUnused();
  });

  test("one that was kept while the clock was ahead", async () => {
    rmSync(file());
    const right = now;
    now = new Date(right.getTime() + 20 * 86_400_000);
    await keep();
    now = right;
    const { answers } = await historyWith(true);
    expect(answers).toEqual((await historyWith(false)).answers);
  });
});

test("a writer that is killed leaves the one before, or the new one; what it began is removed later", async () => {
  await record(some(30));
  await keep();
  const folder = path.dirname(file());
  for (let times = 1; times <= 3; times += 1) {
    const script = path.resolve(import.meta.dirname, "../test/history-writer.ts");
    const child = spawn(process.execPath, [script, `${dir.path}/backups`, auditFolder("first"), now.toISOString()], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    for (let lines = 0; lines < 2 * times; lines += 1) await once(child.stdout, "data");
    child.kill("SIGKILL");
    await once(child, "close");
    const { answers, wasUsed } = await historyWith(true);
    expect(wasUsed).toBe(true);
    expect(answers).toEqual((await historyWith(false)).answers);
  }
  const left = path.join(folder, "history.json.7d0e1f5a");
  writeFileSync(left, "{");
  for (const name of readdirSync(folder)) utimesSync(path.join(folder, name), new Date(1e6), new Date(1e6));
  await record(some(1));
  await keep();
  expect(readdirSync(folder)).toEqual(["history.json"]);
  expect(statSync(file()).mode & 0o777).toBe(0o600);
});
