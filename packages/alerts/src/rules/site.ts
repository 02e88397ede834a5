import { DAY_SECONDS } from "@trivault/core";
import type { Expiring } from "../texts/facts.ts";
import type { Expiry } from "../types.ts";
import { begun, numberIn, textIn } from "../sign-facts.ts";
import { type Rule, sign } from "./rule.ts";

const VERY_SOON_SECONDS = 2 * DAY_SECONDS;

/** Certificates and tokens that are about to end. */
export const expiring: Rule = {
  clearSeconds: 0,
  keeps: ({ subject }, { expiries }) =>
    expiries === null || expiries.some((each) => each.at === null && subjectOf(each) === subject),
  signs({ expiries, config, now }) {
    const { expiresInSeconds } = config.monitoring.alerts.thresholds;
    return (expiries ?? []).flatMap((each) => {
      const { at } = each;
      if (at === null) return [];
      const left = (at.getTime() - now.getTime()) / 1000;
      if (left > expiresInSeconds) return [];
      return [
        sign({
          rule: "expiring",
          subject: subjectOf(each),
          member: subjectOf(each),
          severity: left < VERY_SOON_SECONDS ? "critical" : "warning",
          since: new Date(Math.min(now.getTime(), at.getTime() - expiresInSeconds * 1000)),
          data: { at: at.toISOString() },
        }),
      ];
    });
  },
  words([first], { now }, texts) {
    const thing = thingOf(first?.subject ?? "");
    return { ...texts.expiring({ ...thing, at: new Date(textIn(first, "at")), now }), link: "/" };
  },
};

const TOKEN = /^the API token "(.*)"$/s;
const CERTIFICATE = "the certificate of ";

/** What an alert's id is made of, so it never changes. */
function subjectOf({ kind, name }: Expiry): string {
  return kind === "token" ? `the API token "${name}"` : `${CERTIFICATE}${name}`;
}

function thingOf(subject: string): Omit<Expiring, "at"> {
  const token = TOKEN.exec(subject)?.[1];
  return token === undefined
    ? { kind: "certificate", name: subject.slice(CERTIFICATE.length) }
    : { kind: "token", name: token };
}

/** Somebody changed the audit log, or cut its end off. */
export const auditBroken: Rule = {
  clearSeconds: 0,
  keeps: (_, { record }) => record === null,
  signs({ record, incidents, now }) {
    const incident = incidents["audit"];
    if (!incident && record?.ok !== false) return [];
    const [problem] = record?.problems ?? [];
    return [
      sign({
        rule: "audit-broken",
        subject: "record",
        member: "record",
        severity: "critical",
        since: incident?.since ?? now,
        data: {
          file: problem?.file ?? "",
          line: problem?.line ?? 0,
          what: problem?.what ?? "",
          problems: record?.problems.length ?? 0,
        },
      }),
    ];
  },
  words(signs, { now }, texts) {
    const [first] = signs;
    const [file, what] = [textIn(first, "file"), textIn(first, "what")];
    const place = file === "" ? null : { file, line: numberIn(first, "line") ?? 0, what };
    const problems = numberIn(first, "problems") ?? 0;
    return { ...texts.auditBroken({ place, problems, ...begun(signs, now) }), link: "/" };
  },
};

/** A changed configuration file that cannot be used; the old one is in force. */
export const configRefused: Rule = {
  clearSeconds: 0,
  signs: ({ incidents }) =>
    Object.values(incidents).flatMap(({ kind, since, process, message }) =>
      kind !== "config-refused" || process === null
        ? []
        : [
            sign({
              rule: "config-refused",
              subject: "configuration",
              member: process,
              severity: "warning",
              since,
              data: { message: message ?? "" },
            }),
          ],
    ),
  words: (signs, { now }, texts) => ({
    ...texts.configRefused({
      reason: textIn(signs[0], "message"),
      processes: signs.map(({ member }) => member),
      ...begun(signs, now),
    }),
    link: "/",
  }),
};

/** A rule that throws: what it watches is not watched. Its signs are made where that is noticed (find-signs.ts). */
export const ruleFailed: Rule = {
  clearSeconds: 0,
  signs: () => [],
  words: (signs, { now }, texts) => ({
    ...texts.ruleFailed({
      rules: signs.map(({ member }) => member),
      reason: textIn(signs[0], "reason"),
      ...begun(signs, now),
    }),
    link: "/",
  }),
};

/** What a channel did not take is reported by the others. */
export const channelFailed: Rule = {
  clearSeconds: 0,
  signs: ({ failingChannels }) =>
    failingChannels.map(({ name, since, reason }) =>
      sign({
        rule: "channel-failed",
        subject: name,
        member: name,
        severity: "warning",
        since,
        data: { reason },
      }),
    ),
  words: (signs, { now }, texts) => ({
    ...texts.channelFailed({
      channel: signs[0]?.subject ?? "",
      reason: textIn(signs[0], "reason"),
      ...begun(signs, now),
    }),
    link: "/",
  }),
};
