import { expect, test } from "@jest/globals";
import { followRun, nudge } from "./poll.ts";

/** Longer than any test may take: what ends before was ended by something else. */
const FOREVER_MS = 1_000_000;
const run = { path: "/runs/one" };
const never = new AbortController().signal;

test("a pause ends at once when its run is nudged, and those of other runs do not", async () => {
  using mine = followRun(run);
  using others = followRun({ path: "/runs/two" });
  const stop = new AbortController();
  const undisturbed = others.pause(stop.signal, FOREVER_MS);
  const pause = mine.pause(never, FOREVER_MS);
  nudge(run);
  await pause;
  stop.abort(new Error("stopped, and not nudged"));
  await expect(undisturbed).rejects.toThrow("stopped, and not nudged");
});

test("a nudge between two pauses ends the next one, and only that", async () => {
  using follower = followRun(run);
  nudge(run);
  nudge(run);
  await follower.pause(never, FOREVER_MS);
  const stop = new AbortController();
  const next = follower.pause(stop.signal, FOREVER_MS);
  stop.abort(new Error("it went on waiting"));
  await expect(next).rejects.toThrow("it went on waiting");
});

test("a pause ends by itself, and is refused where its signal has aborted already", async () => {
  using follower = followRun(run);
  await follower.pause(never, 1);
  await expect(follower.pause(AbortSignal.abort(new Error("too late")), FOREVER_MS)).rejects.toThrow("too late");
});

test("who follows no more is not woken, and the others still are", async () => {
  using stays = followRun(run);
  followRun(run)[Symbol.dispose]();
  const pause = stays.pause(never, FOREVER_MS);
  nudge(run);
  await pause;
});
