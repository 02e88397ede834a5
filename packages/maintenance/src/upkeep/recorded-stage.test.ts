import { expect, test } from "@jest/globals";
import type { AuditEvent } from "@trivault/audit";
import { memoryStore } from "@trivault/storage";
import { recordedStage } from "./recorded-stage.ts";

const tiers = [{ name: "local", kind: "local", store: memoryStore("local") }] as const;
const stage = { stage: "encrypt", database: "shop", backupId: "20261123t020000z-7f3k9xq2" } as const;

test("a success that cannot be recorded is never recorded as a failure", async () => {
  const outcomes: AuditEvent["outcome"][] = [];
  const record = async ({ outcome }: AuditEvent) => {
    outcomes.push(outcome);
    throw new Error("the disk is full");
  };
  const work = async () => ({ bytes: 1, seconds: 1 });
  await expect(recordedStage({ record, tiers: [...tiers] }, stage, { actor: "test" }, work)).rejects.toThrow("full");
  expect(outcomes).toEqual(["ok"]);
});
