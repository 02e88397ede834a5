import type { Expiring } from "../facts.ts";
import type { SiteTexts } from "../texts.ts";
import { age, ago, because, count, list, utc } from "./parts.ts";

export const site: SiteTexts = {
  expiring({ now, ...thing }) {
    const { at } = thing;
    const left = (at.getTime() - now.getTime()) / 1000;
    const name = nameOf(thing);
    return {
      title: left > 0 ? `${name} expires in ${age(left)}` : `${name} has expired`,
      what: left > 0 ? `${name} expires on ${utc(at)}.` : `${name} expired ${ago(at, now)}.`,
      safe: "Backups that exist are not touched by it.",
      todo: remedyOf(thing),
      facts: [["Expires", utc(at)]],
    };
  },
  auditBroken({ place, problems, since, now }) {
    const more = problems > 1 ? `, and ${count(problems - 1, "more problem")}` : "";
    const where = place && `${place.file}${place.line > 0 ? `, line ${place.line}` : ""}: ${place.what}`;
    return {
      title: "The audit log was changed",
      what: `The chain of the audit log does not hold, found ${ago(since, now)}: a line was changed, taken out or cut off.${where === null ? "" : ` ${where}${more}.`}`,
      safe: "Backups do not depend on the audit log: their manifests are signed, and are checked by themselves.",
      todo: "See all places with `npm run backup:audit:verify`. Find out who could write to BACKUP_DIR/.trivault/audit; compare with a copy of the audit log that is kept elsewhere.",
      facts: [],
    };
  },
  configRefused({ reason, processes, since, now }) {
    return {
      title: "The configuration file is wrong, and not in force",
      what: `The changed configuration was refused, since ${ago(since, now)}; the one before it goes on. ${reason}`,
      safe: "Backups go on by the old configuration.",
      todo: "Correct the file; `npm run backup:config:check` shows what is wrong. It is taken up within seconds. A restart would fail until then.",
      facts: [["Processes", list(processes)]],
    };
  },
  ruleFailed({ rules, reason, since, now }) {
    const one = rules.length === 1;
    return {
      title: `${count(rules.length, "alert rule")} cannot be evaluated`,
      what: `${list(rules)} ${one ? "fails" : "fail"} since ${ago(since, now)}, so nobody hears of what ${one ? "it watches" : "they watch"}.${because(reason)}`,
      safe: "Backups are not affected, and all other alerts are evaluated. What these rules had found before stays as it was.",
      todo: "This is a fault of Trivault. Report it with the error that is in the log of the API, and look at the dashboard yourself meanwhile.",
      facts: [["Rules", list(rules)]],
    };
  },
  channelFailed({ channel, reason, since, now }) {
    return {
      title: `Alerts do not reach the channel ${channel}`,
      what: `Messages to ${channel} were not delivered, since ${ago(since, now)}. ${reason}`,
      safe: "Other channels are not affected. What was not delivered is tried again for a day.",
      todo: `Correct the channel in the configuration file, then try it: \`npm run backup:alerts:test -- --channel ${channel}\`.`,
      facts: [["Channel", channel]],
    };
  },
};

function nameOf({ kind, name }: Expiring): string {
  return kind === "token" ? `The API token "${name}"` : `The certificate of ${name}`;
}

function remedyOf({ kind, name }: Expiring): string {
  return kind === "token"
    ? `Make a new one (\`npm run backup:token:create\`), give it to whatever uses "${name}", and revoke the old one.`
    : `Renew the certificate of ${name.replace(/:\d+$/, "")}, and see why it is not renewed by itself.`;
}
