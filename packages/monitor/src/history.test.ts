import { expect, test } from "@jest/globals";
import type { RecordedEvent } from "@trivault/audit";
import { createHistory } from "./history.ts";

const DAY_MS = 86_400_000;
const id = "20261123t020000z-7f3k9xq2";

test("9.B15 a copy that failed is forgotten with all else of its time, and not kept for ever", async () => {
  const at = new Date("2026-11-23T02:00:00Z");
  const failed: RecordedEvent = {
    seq: 1,
    at,
    host: "h",
    pid: 1,
    action: "backup.copy",
    outcome: "failed",
    actor: "schedule",
    database: "shop",
    backupId: id,
    tier: "remote",
  };
  const audit = {
    reader: () => ({
      async *read() {
        yield [failed];
      },
      mark: () => null,
    }),
    resume: async () => null,
  };
  const history = createHistory(audit, "local", null);
  await history.update(at);
  expect(history.isFailedCopy(id, "remote")).toBe(true);
  await history.update(new Date(at.getTime() + 36 * DAY_MS));
  expect(history.isFailedCopy(id, "remote")).toBe(false);
});
