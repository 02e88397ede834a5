import type { Texts } from "../texts/texts.ts";
import type { Observation, Sign, Words } from "../types.ts";

export interface Rule {
  signs(observation: Observation): Sign[];
  /** What the alert of these signs, which have one subject, says in the language of the texts. */
  words(signs: readonly Sign[], observation: Observation, texts: Texts): Words;
  /** True where it is not known now whether a sign is gone: then it stays. */
  keeps?(sign: Sign, observation: Observation): boolean;
  /** A sign that is gone must stay so for this long, or the alert would flap. */
  readonly clearSeconds: number;
}

type Given = Pick<Sign, "rule" | "subject" | "member" | "severity" | "since">;

export function sign(given: Given & Partial<Pick<Sign, "holdSeconds" | "suppressed" | "data">>): Sign {
  return { holdSeconds: 0, suppressed: false, data: {}, ...given };
}
