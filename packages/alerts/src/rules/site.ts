import { datum, earliest, list, since, utc, age, count } from "../words.ts";
import { type Rule, sign } from "./rule.ts";

const VERY_SOON_SECONDS = 2 * 86_400;

/** Certificates and tokens that are about to end. */
export const expiring: Rule = {
  clearSeconds: 0,
  keeps: ({ subject }, { expiries }) =>
    expiries === null || expiries.some(({ what, at }) => what === subject && at === null),
  signs({ expiries, config, now }) {
    const { expiresInSeconds } = config.monitoring.alerts.thresholds;
    return (expiries ?? []).flatMap(({ what, at, remedy }) => {
      if (at === null) return [];
      const left = (at.getTime() - now.getTime()) / 1000;
      if (left > expiresInSeconds) return [];
      return [
        sign({
          rule: "expiring",
          subject: what,
          member: what,
          severity: left < VERY_SOON_SECONDS ? "critical" : "warning",
          since: new Date(Math.min(now.getTime(), at.getTime() - expiresInSeconds * 1000)),
          data: { at: at.toISOString(), remedy },
        }),
      ];
    });
  },
  words(signs, { now }) {
    const [first] = signs;
    const what = first?.subject ?? "";
    const at = new Date(datum(first, "at"));
    const left = (at.getTime() - now.getTime()) / 1000;
    const name = `${what.slice(0, 1).toUpperCase()}${what.slice(1)}`;
    return {
      title: left > 0 ? `${name} expires in ${age(left)}` : `${name} has expired`,
      what: left > 0 ? `${name} expires on ${utc(at)}.` : `${name} expired ${since(at, now)}.`,
      safe: "Backups that exist are not touched by it.",
      todo: datum(first, "remedy"),
      facts: [["Expires", utc(at)]],
      link: "/",
    };
  },
};

/** Somebody changed the record, or cut its end off. */
export const auditBroken: Rule = {
  clearSeconds: 0,
  keeps: (_, { record }) => record === null,
  signs({ record, incidents, now }) {
    const told = incidents["audit"];
    if (!told && record?.ok !== false) return [];
    const [problem] = record?.problems ?? [];
    const where = problem ? `${problem.file}${problem.line > 0 ? `, line ${problem.line}` : ""}: ${problem.what}` : "";
    return [
      sign({
        rule: "audit-broken",
        subject: "record",
        member: "record",
        severity: "critical",
        since: told?.since ?? now,
        data: { where, problems: String(record?.problems.length ?? 0) },
      }),
    ];
  },
  words(signs, { now }) {
    const where = datum(signs[0], "where");
    const more = Number(datum(signs[0], "problems")) - 1;
    return {
      title: "The record was changed",
      what: `The chain of the record does not hold, found ${since(earliest(signs), now)}: a line was changed, taken out or cut off.${where === "" ? "" : ` ${where}${more > 0 ? `, and ${count(more, "more problem")}` : ""}.`}`,
      safe: "Backups do not depend on the record: their manifests are signed, and are checked by themselves.",
      todo: "See all places with `npm run backup:audit:verify`. Find out who could write to BACKUP_DIR/.trivault/audit; compare with a copy of the record that is kept elsewhere.",
      facts: [],
      link: "/",
    };
  },
};

/** A changed configuration file that cannot be used; the old one is in force. */
export const configRefused: Rule = {
  clearSeconds: 0,
  signs: ({ incidents }) =>
    Object.values(incidents).flatMap(({ kind, since: begun, process, message }) =>
      kind !== "config-refused" || process === null
        ? []
        : [
            sign({
              rule: "config-refused",
              subject: "configuration",
              member: process,
              severity: "warning",
              since: begun,
              data: { message: message ?? "" },
            }),
          ],
    ),
  words: (signs, { now }) => ({
    title: "The configuration file is wrong, and not in force",
    what: `The changed configuration was refused, since ${since(earliest(signs), now)}; the one before it goes on. ${datum(signs[0], "message")}`,
    safe: "Backups go on by the old configuration.",
    todo: "Correct the file; `npm run backup:config:check` tells what is wrong. It is taken up within seconds. A restart would fail until then.",
    facts: [["Processes", list(signs.map(({ member }) => member))]],
    link: "/",
  }),
};

/** What a channel did not take is told by the others. */
export const channelFailed: Rule = {
  clearSeconds: 0,
  signs: ({ failingChannels }) =>
    failingChannels.map(({ name, since: begun, reason }) =>
      sign({
        rule: "channel-failed",
        subject: name,
        member: name,
        severity: "warning",
        since: begun,
        data: { reason },
      }),
    ),
  words(signs, { now }) {
    const name = signs[0]?.subject ?? "";
    return {
      title: `Alerts do not reach the channel ${name}`,
      what: `Messages to ${name} were not delivered, since ${since(earliest(signs), now)}. ${datum(signs[0], "reason")}`,
      safe: "Other channels are not affected. What was not delivered is tried again for a day.",
      todo: `Correct the channel in the configuration file, then try it: \`npm run backup:alerts:test -- --channel ${name}\`.`,
      facts: [["Channel", name]],
      link: "/",
    };
  },
};
