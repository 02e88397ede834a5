import type { Language } from "@trivault/core";
import type { Message } from "@trivault/notify";
import type { RaisedAlert } from "./desk-state.ts";
import { saidIn } from "./all-languages.ts";
import { TEXTS } from "./texts/all.ts";

/** `again`: nothing is new but that it lasts. */
export function messageOf(alert: RaisedAlert, again: boolean, language: Language, now: Date): Message {
  const { text } = saidIn(alert.words, language);
  const seconds = (now.getTime() - alert.since.getTime()) / 1000;
  return messageWith(alert, alert.severity, again ? TEXTS[language].repeated(seconds, text) : text, language, now);
}

/** `elsewhere`: what of it goes on as another alert. */
export function endMessage(
  alert: RaisedAlert & { told: NonNullable<RaisedAlert["told"]> },
  elsewhere: readonly string[],
  language: Language,
  now: Date,
): Message {
  const told = { ...alert.told, times: alert.told.times + 1 };
  const text = TEXTS[language].ended({ since: alert.since, now, elsewhere });
  return messageWith({ ...alert, told }, "resolved", text, language, now);
}

function messageWith(
  { id, words, raisedAt, told }: RaisedAlert,
  severity: Message["severity"],
  text: string,
  language: Language,
  now: Date,
): Message {
  const { title, facts } = saidIn(words, language);
  const topic = `${id}.${raisedAt.getTime().toString(36)}`;
  return {
    // The same after a crash that lost the note that it was sent.
    id: `${topic}.${told?.times ?? 0}`,
    severity,
    language,
    title,
    text,
    facts: [...facts, [TEXTS[language].alert, id]],
    link: words.link,
    at: now,
    topic,
  };
}
