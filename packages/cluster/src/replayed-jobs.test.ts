import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { type AuditLog, openAuditLog } from "@trivault/audit";
import { newBackupId, resolveConfig } from "@trivault/core";
import type { MaintenanceSite } from "@trivault/maintenance";
import { jobHandle, silentContext } from "../test/job-context.ts";
import { dumpHandler } from "./dump-handler.ts";
import { openSite } from "./open-site.ts";
import { restoreHandler } from "./restore-handler.ts";

let folder: string;
let audit: AuditLog;
let site: MaintenanceSite & { close(): Promise<void> };
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "replayed-"));
  audit = openAuditLog(path.join(folder, "audit"));
  const config = resolveConfig({ BACKUP_DIR: folder, BACKUP_ENCRYPTION: "none" }, "read");
  site = { ...(await openSite(config)), record: audit.record };
});
afterEach(async () => {
  await site.close();
  await audit.close();
  await rm(folder, { recursive: true });
});

describe("9.C21 a job of ours that is put back into Redis, seal and all, after it was carried out", () => {
  test("restores nothing once more, and is recorded", async () => {
    const backupId = newBackupId(new Date());
    const to = { to: "restore-server", target: "copy", from: "any", noOwner: false, globals: false, jobs: 1 };
    const job = { database: "shop", backupId, ...to, actor: "user:ann", askedAt: new Date().toISOString() };
    const run = (id: string) => restoreHandler(site, audit).run(job, silentContext, jobHandle(id));
    // It gets as far as the server to restore to, which this site has none of.
    await expect(run("a.1")).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    const restored = {
      action: "backup.restored",
      outcome: "ok",
      actor: "user:ann",
      database: "shop",
      backupId,
    } as const;
    await audit.record({ ...restored, details: { job: "a.1" } });
    await expect(run("a.1")).rejects.toMatchObject({ code: "UNTRUSTED", permanent: true });
    const [event] = await Array.fromAsync(audit.query({ action: "job.refused" }));
    expect(event).toMatchObject({ outcome: "refused", details: { queue: "restore", job: "a.1" } });
    await expect(run("a.2")).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  });

  test("a restore whose worker died before its job ended is reported as what it is: done", async () => {
    const backupId = newBackupId(new Date());
    const to = { to: "restore-server", target: "copy", from: "any", noOwner: false, globals: false, jobs: 1 };
    const job = { database: "shop", backupId, ...to, actor: "user:ann", askedAt: new Date().toISOString() };
    const details = { job: "a.1", target: "copy on localhost", tables: 7 };
    const event = { action: "backup.restored", outcome: "ok", actor: "user:ann", database: "shop", backupId } as const;
    await audit.record({ ...event, seconds: 3, bytes: 100, details });
    const result = await restoreHandler(site, audit).run(job, silentContext, jobHandle("a.1", true));
    const target = "copy on localhost";
    expect(result).toEqual({ database: "shop", backupId, target, seconds: 3, bytes: 100, tablesCompared: 7 });
    expect(await Array.fromAsync(audit.query({ action: "job.refused" }))).toEqual([]);
  });

  test("makes no backup of now under the id of then", async () => {
    const dumped: string[] = [];
    const handler = dumpHandler({
      site,
      history: audit,
      limit: { take: async () => ({ release: async () => undefined }), close: () => undefined },
      dump: async (_site, ref) => {
        dumped.push(ref.backupId);
        return { ...ref, bytes: 1, seconds: 1, rows: null };
      },
      isQueued: async () => false,
      stageContext: () => ({ ...silentContext, start: async () => undefined }),
    });
    const id = newBackupId(new Date());
    const run = () => handler.run({ database: "shop", actor: "user:ann" }, silentContext, jobHandle(id));
    await run();
    expect(await run()).toEqual({ database: "shop", served: id });
    expect(dumped).toEqual([id]);
  });
});
