import { expect, test } from "@jest/globals";
import type { Job } from "bullmq";
import { readJob, statusOf } from "./runs.ts";

/** A queue whose one job ends between any two reads. */
function endingQueue() {
  let ended = false;
  const read = <T>(before: T, after: T): T => {
    const answer = ended ? after : before;
    ended = true;
    return answer;
  };
  return {
    getJobState: async () => read("active" as const, "completed" as const),
    getJob: async () => ({ returnvalue: read(null, { state: "good" }) }) as Job,
  };
}

test("a job that ends while it is read is never said to have ended without its result", async () => {
  const read = await readJob(endingQueue(), "some");
  expect({ state: read?.state, result: read?.job.returnvalue }).toEqual({ state: "active", result: { state: "good" } });
});

test("a job that the queue does not know is none", async () => {
  const empty = { getJobState: async () => "unknown" as const, getJob: async () => undefined };
  expect(await readJob(empty, "gone")).toBeNull();
});

test.each([
  ["begins", "active", { attemptsMade: 1 }],
  ["begins and ends", "completed", { attemptsMade: 1, returnvalue: {} }],
] as const)("a job that %s while it is read is not said to wait for another attempt", async (_what, after, job) => {
  const states = ["waiting", after, after] as const;
  let reads = 0;
  const queue = { getJobState: async () => states[reads++] ?? after, getJob: async () => job as unknown as Job };
  const read = await readJob(queue, "some");
  expect(read && statusOf({ stage: "dump", tier: null, id: "some" }, read).state).toBe(after);
});
