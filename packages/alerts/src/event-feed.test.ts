import { once } from "node:events";
import { expect, test } from "@jest/globals";
import type { AuditFilter, RecordedEvent } from "@trivault/audit";
import { silentLogger } from "@trivault/core";
import { openEventFeed } from "./event-feed.ts";

const NOW = new Date("2026-11-25T10:00:00Z");
const event = (seq: number, at: Date): RecordedEvent => {
  return { seq, at, host: "h", pid: 1, action: "backup.dump", outcome: "failed", actor: "schedule", database: "shop" };
};

test("what is written right after an empty record was read, and is dated before, is not missed", async () => {
  const late = event(1, new Date(NOW.getTime() - 5));
  const audit = {
    async *query() {},
    async *follow({ from }: AuditFilter, signal: AbortSignal) {
      if (from !== undefined && late.at >= from) yield late;
      await once(signal, "abort");
    },
  };
  const closing = new AbortController();
  const woken = Promise.withResolvers<void>();
  const deps = { audit, now: () => NOW, log: silentLogger() };
  const feed = await openEventFeed(deps, null, closing.signal, woken.resolve);
  await new Promise(setImmediate);
  closing.abort();
  await feed.ended;
  expect(feed.take()).toEqual([late]);
});
