import { expect, test } from "@jest/globals";
import { type Overview } from "@trivault/monitor";
import { sampleConfig } from "../test/sample.ts";
import { createReportMaker } from "./report-maker.ts";

test("9.B15 a report that is not wanted any more is not waited for, neither its turn nor what it asks", async () => {
  const asked: PromiseWithResolvers<Overview>[] = [];
  const maker = createReportMaker({
    config: sampleConfig({ schedule: null }),
    observer: {
      overview: () => {
        const answer = Promise.withResolvers<Overview>();
        asked.push(answer);
        return answer.promise;
      },
    },
    now: () => new Date("2026-11-24T08:00:00Z"),
  });
  const [first, second, third] = [new AbortController(), new AbortController(), new AbortController()];
  const request = { period: { from: 0, to: 1 }, database: null, language: "en" } as const;
  const made = [first, second, third].map(({ signal }) => maker.make(request, signal));
  const ends = made.map((one) => expect(one).rejects.toThrow("enough"));
  second.abort(new Error("enough"));
  await ends[1];
  expect(asked).toHaveLength(1); // the third waits for the first all the same
  first.abort(new Error("enough"));
  await ends[0];
  third.abort(new Error("enough"));
  await ends[2];
});
