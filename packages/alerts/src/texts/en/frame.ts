import type { FrameTexts } from "../texts.ts";
import { age, list, utc } from "./parts.ts";

export const frame: FrameTexts = {
  text: ({ what, safe, todo }) => [what, ...(safe === null ? [] : [safe]), `What to do: ${todo}`].join("\n\n"),
  repeated: (seconds, text) => `Still so, for ${age(seconds)}. ${text}`,
  ended({ since, now, elsewhere }) {
    const goesOn =
      elsewhere.length === 0
        ? ""
        : `\n\nNot everything is healthy: ${list(elsewhere)} goes on as another alert, for another reason.`;
    return `It lasted ${age((now.getTime() - since.getTime()) / 1000)}, from ${utc(since)} to ${utc(now)}. Nothing need be done.${goesOn}`;
  },
  alert: "Alert",
  test: {
    title: "A test from Trivault",
    text: "Somebody tries whether alerts arrive here. They do.\n\nNothing need be done.",
  },
  notWell: {
    neverLooked: "the site was not looked at yet",
    silent: (seconds) => `nothing was evaluated for ${Math.round(seconds)} s`,
    stale: (at, reason) => `the site was last looked at ${utc(at)}: ${reason ?? "the observer is slow"}`,
    failed: (reason) => `the alerts could not be evaluated: ${reason}`,
  },
};
