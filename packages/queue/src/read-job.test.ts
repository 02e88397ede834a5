import { expect, test } from "@jest/globals";
import type { Job } from "bullmq";
import { readJob } from "./runs.ts";

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
