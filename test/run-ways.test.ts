import { readdir, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { zstdDecompressSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { AuditEvent } from "@trivault/audit";
import {
  adoptFile,
  type BackupRef,
  giveUp,
  listCopies,
  type NextStage,
  runInline,
  type RunStage,
  type StageContext,
  type StageResult,
} from "@trivault/backup";
import { messageOf, newBackupId, sha256Hex, silentLogger, TrivaultError } from "@trivault/core";
import { catchUp, type MaintenanceSite, recordedStage } from "@trivault/maintenance";
import type { Store } from "@trivault/storage";
import { watchRejections } from "@trivault/testkit";
import { beginDump, type FakeSite, fakeSite, sampleContent, SEGMENT } from "../packages/backup/test/fake-dump.ts";
import { identityOf } from "../packages/backup/src/adopt/whole-file.ts";
import { markDumped } from "../packages/backup/src/run-directory.ts";
import { inRun } from "../packages/backup/src/stages/dump.ts";
import { carryJob } from "../packages/cluster/src/carry-job.ts";

/** A run goes through the same stages whoever carries it; each case here is driven through all four ways. */
let fake: FakeSite;
let events: AuditEvent[];
let rejections: ReturnType<typeof watchRejections>;
beforeEach(async () => {
  fake = await fakeSite();
  events = [];
  rejections = watchRejections();
});
afterEach(async () => {
  rejections[Symbol.dispose]();
  await fake[Symbol.asyncDispose]();
  expect(rejections.seen).toEqual([]);
});

const content = sampleContent(3 * SEGMENT + 1000);
const ACTOR = "user:ann@here";

/** Carries one run of `content`, and resolves when nothing of it is at work any more, however it ended. */
type Way = (site: MaintenanceSite, signal: AbortSignal) => Promise<void>;

const WAYS: Readonly<Record<"queued" | "inline" | "adopted" | "caught up", Way>> = {
  /** As workers do, but for the queue: a job each, tried once. */
  async queued(site, signal) {
    const ref = { database: "shop", backupId: newBackupId() };
    const jobs = new Map<string, Promise<void>>();
    const begin = (what: RunStage) => {
      const id = JSON.stringify(what);
      if (!jobs.has(id)) jobs.set(id, carry(what));
    };
    const stage = contextOf(signal, (next) => begin(next));
    const context = { ...stage, progress: () => undefined, attempt: 1, isRetried: () => false };
    const carry = async (what: RunStage) => {
      try {
        await carryJob(site, what, { actor: ACTOR, context, stage });
      } catch (error) {
        if (what.stage === "encrypt") await giveUp(site, what, messageOf(error));
      }
    };
    begin({ stage: "dump", ...ref, work: (each) => fillSpool(site, ref, each) });
    for (let count = -1; count !== jobs.size;) {
      count = jobs.size;
      await Promise.all(jobs.values());
    }
  },
  async inline(site, signal) {
    const watch = { signal, log: silentLogger(), note: () => undefined, progress: () => undefined };
    const around = (stage: RunStage, work: () => Promise<StageResult>) =>
      recordedStage(site, stage, { actor: ACTOR }, work);
    await runInline(site, "shop", { ...watch, around }, (_site, ref, context) => fillSpool(site, ref, context));
  },
  async adopted(site, signal) {
    const file = path.join(site.config.backupDir, "shop.dump");
    await writeFile(file, content);
    const about = { database: "shop", time: new Date(), size: content.length, sha256: sha256Hex(content) };
    const found = { format: "custom", compression: null, databaseFrom: "archive", timeFrom: "archive" } as const;
    const server = { server: { version: "17.0", major: 17 }, pgDump: "17.0" };
    const dump = {
      file: "shop.dump",
      ...about,
      ...found,
      ...server,
      identity: await identityOf(file),
      adoptedAs: null,
    };
    await adoptFile(site, dump, { keep: false }, contextOf(signal)).catch(() => undefined);
  },
  /** A dump that is through, and whose worker is no more. */
  async "caught up"(site, signal) {
    const dump = await beginDump(fake);
    await dump.finish(content);
    const longAgo = new Date(Date.now() - 3_600_000);
    const run = path.join(site.config.backupDir, ".trivault/runs", dump.ref.backupId);
    await utimes(run, longAgo, longAgo);
    await catchUp(site, contextOf(signal)).catch(() => undefined);
  },
};

function contextOf(signal: AbortSignal, start: (next: NextStage) => void = () => undefined): StageContext {
  return { ...fake.context(signal), start: async (next) => start(next) };
}

function fillSpool(site: MaintenanceSite, ref: BackupRef, context: StageContext): Promise<StageResult> {
  return inRun(site, ref, context, async (run) => {
    const parts = Math.ceil(content.length / SEGMENT);
    for (let part = 0; part < parts; part++) {
      const bytes = content.subarray(part * SEGMENT, (part + 1) * SEGMENT);
      await writeFile(path.join(run.spool, `part-${String(part).padStart(6, "0")}`), bytes);
    }
    await markDumped(run, {
      parts,
      lastPartSize: content.length - (parts - 1) * SEGMENT,
      startedAt: new Date().toISOString(),
      tools: { pg_dump: "17.0" },
      server: { version: "17.0", major: 17 },
      extras: [],
    });
    return { bytes: content.length, seconds: 0, rows: 7 };
  });
}

const never = () => AbortSignal.timeout(200_000);
const site = (wrap: (store: Store) => Store = (store) => store): MaintenanceSite => ({
  ...fake.with(wrap),
  record: async (event) => void events.push(event),
});
const complete = async (name: string) => {
  const tier = fake.site.tiers.find((each) => each.name === name) ?? fake.site.tiers[0];
  return (await listCopies(tier)).filter((copy) => copy.complete);
};
const ofStages = (outcome: AuditEvent["outcome"]) =>
  events
    .filter((event) => event.outcome === outcome && /^backup\.(?:encrypt|copy)$/.test(event.action))
    .map(({ action, tier }) => `${action} ${tier}`)
    .toSorted((a, b) => a.localeCompare(b));

describe.each(Object.entries(WAYS))("a run that is %s", (name, carry) => {
  // An adopted file's copies are left to maintenance, and its audit event to the command.
  const copied = name !== "adopted";

  test("ends with a whole copy where it shall be, each stage recorded once, and no plaintext", async () => {
    await carry(site(), never());
    const [local] = await complete("local");
    const held = await fake.contentOf(fake.site.tiers[0], local ?? { database: "", backupId: "" });
    expect(name === "adopted" ? zstdDecompressSync(held) : held).toEqual(content);
    for (const tier of ["remote", "cloud"]) expect(await complete(tier)).toHaveLength(copied ? 1 : 0);
    expect(ofStages("ok")).toEqual(copied ? ["backup.copy cloud", "backup.copy remote", "backup.encrypt local"] : []);
    expect(ofStages("failed")).toEqual([]);
    expect(await readdir(fake.config.spoolDir)).toEqual([]);
    expect(await readdir(fake.config.backupDir)).not.toContain("shop.dump");
  });

  test("a tier that refuses its copy keeps no other from its own", async () => {
    const refusing = (store: Store): Store => ({
      ...store,
      async put(...args) {
        if (store.description.includes("remote")) throw new TrivaultError("STORE_FULL", "remote is full.");
        return store.put(...args);
      },
    });
    await carry(site(refusing), never());
    expect(await complete("local")).toHaveLength(1);
    expect(await complete("remote")).toEqual([]);
    expect(await complete("cloud")).toHaveLength(copied ? 1 : 0);
    // Maintenance tries it in the round of either tier.
    expect([...new Set(ofStages("failed"))]).toEqual(copied ? ["backup.copy remote"] : []);
  });

  test("a seal that fails leaves no backup, and its plaintext only to whoever tries again", async () => {
    const full = (store: Store): Store => ({
      ...store,
      async put(...args) {
        if (store.description.includes("local")) throw new TrivaultError("STORE_FULL", "local is full.");
        return store.put(...args);
      },
    });
    await carry(site(full), never());
    for (const tier of ["local", "remote", "cloud"]) expect(await complete(tier)).toEqual([]);
    if (copied) expect(ofStages("failed")).toContain("backup.encrypt local");
    expect(await readdir(fake.config.spoolDir)).toHaveLength(name === "caught up" ? 1 : 0);
    if (name === "adopted") expect(await readdir(fake.config.backupDir)).toContain("shop.dump");
  });

  test("one that is stopped while it is sealed leaves no copy that counts", async () => {
    const stop = new AbortController();
    const stopping = (store: Store): Store => ({
      ...store,
      async put(...args) {
        stop.abort(new TrivaultError("CANCELLED", "stopped"));
        return store.put(...args);
      },
    });
    await carry(site(stopping), AbortSignal.any([never(), stop.signal]));
    for (const tier of ["local", "remote", "cloud"]) expect(await complete(tier)).toEqual([]);
    expect(ofStages("ok")).toEqual([]);
  });
});
