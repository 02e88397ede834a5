import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { resolveConfig } from "@trivault/core";
import type { maintainTier } from "@trivault/maintenance";
import type { Handler } from "@trivault/queue";
import { jobHandle, silentContext } from "../test/job-context.ts";
import { maintenanceHandler } from "./maintenance-handler.ts";
import { openSite } from "./open-site.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "maintenance-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const handle = jobHandle("1");

/** Whose rounds of the tier "hangs" end when `release` is called. */
async function makeHandler(seen: string[], hang: Promise<void>): Promise<Handler> {
  const config = resolveConfig({ BACKUP_DIR: folder, BACKUP_ENCRYPTION: "none" }, "read");
  // Long enough for a busy machine: an owner that is late to say that it lives loses its turn.
  const worker = { ...config.worker, takeoverSeconds: 4 };
  const site = { ...(await openSite({ ...config, worker })), record: async () => undefined };
  const maintain = async (_site: unknown, tier: string) => {
    seen.push(tier);
    if (tier === "hangs") await hang;
    return { tier } as Awaited<ReturnType<typeof maintainTier>>;
  };
  return maintenanceHandler(site, maintain, () => ({ ...silentContext, start: async () => undefined }));
}

test("a tier that hangs keeps one job busy, here or in another process, and no other tier waits for it", async () => {
  const seen: string[] = [];
  const hanging = Promise.withResolvers<void>();
  const here = await makeHandler(seen, hanging.promise);
  const elsewhere = await makeHandler(seen, hanging.promise);
  const first = here.run({ tier: "hangs" }, silentContext, handle);
  while (seen.length === 0) await new Promise(setImmediate);
  expect(await here.run({ tier: "hangs" }, silentContext, handle)).toMatchObject({
    skipped: expect.stringContaining("last round"),
  });
  const other = elsewhere.run({ tier: "hangs" }, silentContext, handle);
  expect(await here.run({ tier: "cloud" }, silentContext, handle)).toEqual({ tier: "cloud" });
  expect(await other).toMatchObject({ skipped: expect.stringContaining("another process") });
  hanging.resolve();
  expect(await first).toEqual({ tier: "hangs" });
  expect(await elsewhere.run({ tier: "hangs" }, silentContext, handle)).toEqual({ tier: "hangs" });
  expect(seen).toEqual(["hangs", "cloud", "hangs"]);
});
